"""Families of models: one adapter for each way to hand over pictures, features and prompts."""

from collections.abc import Mapping

from samgis_process.inference.families.sam import SamModel
from samgis_process.inference.families.sam2 import Sam2Model
from samgis_process.inference.families.sam_onnx import SamOnnxModel
from samgis_process.inference.model import Model

FAMILIES: Mapping[str, type[Model]] = {
    "sam": SamModel,
    "sam-onnx": SamOnnxModel,
    "sam2": Sam2Model,
}
