"""Exports by others are read as they are, or refused with what was found."""

import hashlib
import shutil

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from samgis_process.errors import ModelUnavailable
from samgis_process.grid import Pixel
from samgis_process.inference.catalogue import FileSpec, Manifest
from samgis_process.inference.families import FAMILIES
from samgis_process.inference.masks import Rule, choose
from samgis_process.inference.sessions import Runtime

CLICK = (70, 40)


@pytest.fixture(scope="module")
def picture():
    """A red rectangle on green, 200 x 100 pixels."""
    image = np.full((100, 200, 3), (60, 120, 60), np.uint8)
    image[20:60, 40:120] = (200, 60, 60)
    return image


def write(directory, tiny, changes):
    """Write a foreign model: the tiny one's graphs, changed by name of file."""
    directory.mkdir()
    for name in ("encoder.onnx", "decoder.onnx"):
        graph = onnx.load(tiny / name)
        if name in changes:
            changes[name](graph)
        onnx.save(graph, directory / name)


def manifest(directory, family):
    files = {}
    for path in directory.glob("*.onnx"):
        data = path.read_bytes()
        files[path.name] = FileSpec(path.name, len(data), hashlib.sha256(data).hexdigest())
    Manifest(
        id="foreign",
        family=family,
        recipe="",
        checkpoint_sha256="",
        files=files,
        licence="",
        attribution="",
        built_with={},
    ).write(directory)
    return FAMILIES[family](directory, Runtime())


def rename(graph, old, new, *, of="input"):
    """Give a value another name; `of`: that of an input, an output, or neither."""
    for node in graph.graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]
    for value in getattr(graph.graph, of) if of else ():
        if value.name == old:
            value.name = new


def usual_layout(graph):
    """Let an encoder give the embedding as others do, (1, 256, 64, 64)."""
    rename(graph, "tokens", "rows", of="")
    shape = helper.make_tensor("to", TensorProto.INT64, [4], [1, 256, 64, 64])
    graph.graph.initializer.append(shape)
    graph.graph.node.extend(
        [
            helper.make_node("Transpose", ["rows"], ["turned"], perm=[1, 0]),
            helper.make_node("Reshape", ["turned", "to"], ["embedding"]),
        ]
    )
    del graph.graph.output[:]
    graph.graph.output.append(
        helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 256, 64, 64])
    )


def usual_input(graph, name="image_embeddings"):
    """Let a decoder take the embedding so."""
    del graph.graph.input[0]
    graph.graph.input.insert(
        0, helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 256, 64, 64])
    )
    shape = helper.make_tensor("from", TensorProto.INT64, [2], [256, 4096])
    graph.graph.initializer.append(shape)
    before = [
        helper.make_node("Reshape", [name, "from"], ["columns"]),
        helper.make_node("Transpose", ["columns"], ["tokens"], perm=[1, 0]),
    ]
    nodes = [*before, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)


def odd_types(graph):
    """Let a decoder want labels as int64, and the size of the original."""
    usual_input(graph)
    rename(graph, "point_labels", "real_labels")
    labels = next(v for v in graph.graph.input if v.name == "real_labels")
    graph.graph.input.remove(labels)
    graph.graph.input.extend(
        [
            helper.make_tensor_value_info("point_labels", TensorProto.INT64, [1, "N"]),
            helper.make_tensor_value_info("orig_im_size", TensorProto.FLOAT, [2]),
        ]
    )
    cast = helper.make_node("Cast", ["point_labels"], ["real_labels"], to=TensorProto.FLOAT)
    graph.graph.node.insert(0, cast)


def from_rows_of_pixels(graph):
    """Let an encoder take (rows, cols, 3) in 0..255; here always a whole frame wide."""
    usual_layout(graph)
    del graph.graph.input[:]
    graph.graph.input.append(
        helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["H", "W", 3])
    )
    constants = {
        "mean": np.array([123.675, 116.28, 103.53], np.float32),
        "std": np.array([58.395, 57.12, 57.375], np.float32),
        "pads": np.array([0, 0, 0, 0, 512, 0], np.int64),
        "first": np.array([0], np.int64),
    }
    graph.graph.initializer.extend(
        onnx.numpy_helper.from_array(value, name) for name, value in constants.items()
    )
    before = [
        helper.make_node("Sub", ["pixels", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "std"], ["normal"]),
        helper.make_node("Transpose", ["normal"], ["channels"], perm=[2, 0, 1]),
        helper.make_node("Pad", ["channels", "pads"], ["padded"]),
        helper.make_node("Unsqueeze", ["padded", "first"], ["image"]),
    ]
    nodes = [*before, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)


def finer_maps(graph):
    """Let an encoder give the two finer maps of SAM 2 beside the embedding."""
    usual_layout(graph)
    rename(graph, "embedding", "image_embed", of="output")
    for index, (depth, side) in enumerate(((32, 256), (64, 128))):
        name = f"high_res_feats_{index}"
        graph.graph.initializer.extend(
            [
                helper.make_tensor(f"zero{index}", TensorProto.FLOAT, [1], [index + 1.0]),
                helper.make_tensor(
                    f"shape{index}", TensorProto.INT64, [4], [1, depth, side, side]
                ),
            ]
        )
        node = helper.make_node("Expand", [f"zero{index}", f"shape{index}"], [name])
        graph.graph.node.append(node)
        graph.graph.output.append(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, depth, side, side])
        )


def takes_finer_maps(graph):
    """Let a decoder want them, add them up, and give three masks."""
    usual_input(graph, "image_embed")
    rename(graph, "low_res_masks", "four", of="")
    rename(graph, "iou_predictions", "four_iou", of="")
    for index, (depth, side) in enumerate(((32, 256), (64, 128))):
        graph.graph.input.append(
            helper.make_tensor_value_info(
                f"high_res_feats_{index}", TensorProto.FLOAT, [1, depth, side, side]
            )
        )
        node = helper.make_node(
            "ReduceMean", [f"high_res_feats_{index}"], [f"mean{index}"], keepdims=0
        )
        graph.graph.node.append(node)
    for name, value in (("from1", [1]), ("to4", [4]), ("axis1", [1])):
        graph.graph.initializer.append(helper.make_tensor(name, TensorProto.INT64, [1], value))
    three = helper.make_tensor("three", TensorProto.FLOAT, [], [3.0])
    graph.graph.initializer.append(three)
    graph.graph.node.extend(
        [
            helper.make_node("Add", ["mean0", "mean1"], ["both"]),  # 1 + 2
            helper.make_node("Sub", ["both", "three"], ["nothing"]),
            helper.make_node("Slice", ["four", "from1", "to4", "axis1"], ["cut"]),
            helper.make_node("Add", ["cut", "nothing"], ["masks"]),
            helper.make_node("Slice", ["four_iou", "from1", "to4", "axis1"], ["iou_predictions"]),
        ]
    )
    del graph.graph.output[:]
    graph.graph.output.extend(
        [
            helper.make_tensor_value_info("masks", TensorProto.FLOAT, [1, 3, 256, 256]),
            helper.make_tensor_value_info("iou_predictions", TensorProto.FLOAT, [1, 3]),
        ]
    )


FOREIGN = {
    "usual": ("sam-onnx", {"encoder.onnx": usual_layout, "decoder.onnx": usual_input}),
    "odd types": ("sam-onnx", {"encoder.onnx": usual_layout, "decoder.onnx": odd_types}),
    "rows of pixels": (
        "sam-onnx",
        {"encoder.onnx": from_rows_of_pixels, "decoder.onnx": usual_input},
    ),
    "sam 2": ("sam2", {"encoder.onnx": finer_maps, "decoder.onnx": takes_finer_maps}),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_export_finds_what_was_clicked(name, tiny_model_dir, tmp_path, picture):
    family, changes = FOREIGN[name]
    write(tmp_path / "model", tiny_model_dir, changes)
    model = manifest(tmp_path / "model", family)
    model.warm_up()
    frame = model.frame(200, 100)
    seen = model.see(model.encode(picture))
    decoded = model.decode(seen, frame.coords([Pixel(*CLICK)]), np.ones(1, np.float32))
    mask = choose(decoded, frame.held, "click", Rule(single=model.single))
    rows, cols = np.nonzero(mask.logits > 0)
    scale = np.array(frame.scale) / 4  # cells per pixel
    found = np.array([cols.min(), rows.min(), cols.max() + 1, rows.max() + 1])
    np.testing.assert_allclose(found, [40, 20, 120, 60] * np.tile(scale, 2), atol=1.01)


def broken(directory, tiny, harm):
    write(directory, tiny, {"encoder.onnx": usual_layout, "decoder.onnx": usual_input})
    harm(directory)
    return manifest(directory, "sam-onnx")


def other_names(directory):
    graph = onnx.load(directory / "decoder.onnx")
    rename(graph, "point_coords", "places")
    onnx.save(graph, directory / "decoder.onnx")


def other_ranks(directory):
    shutil.copy(directory / "decoder.onnx", directory / "encoder.onnx")


def cut_short(directory):
    data = (directory / "decoder.onnx").read_bytes()
    (directory / "decoder.onnx").write_bytes(data[: len(data) // 2])


def later_opset(directory):
    graph = onnx.load(directory / "encoder.onnx")
    graph.opset_import[0].version = 999
    onnx.save(graph, directory / "encoder.onnx")


def some_text(directory):
    (directory / "encoder.onnx").write_text("<html>not found</html>")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (other_names, r"missing: point_coords, unknown: places"),
        (other_ranks, r"expected one picture.*found image_embeddings"),
        (cut_short, r"decoder\.onnx of foreign cannot be opened"),
        (later_opset, r"encoder\.onnx of foreign cannot be opened.*Opset 999"),
        (some_text, r"encoder\.onnx of foreign cannot be opened"),
    ],
)
def test_what_is_no_such_export_is_refused_with_the_reason(harm, words, tiny_model_dir, tmp_path):
    with pytest.raises(ModelUnavailable, match=words) as raised:
        broken(tmp_path / "model", tiny_model_dir, harm).warm_up()
    assert str(tmp_path) not in str(raised.value)


def test_sam_1_is_not_taken_for_sam_2(tiny_model_dir, tmp_path):
    write(
        tmp_path / "model",
        tiny_model_dir,
        {"encoder.onnx": usual_layout, "decoder.onnx": usual_input},
    )
    with pytest.raises(ModelUnavailable, match=r"not of SAM 2; missing: .*high_res_feats_0"):
        manifest(tmp_path / "model", "sam2").warm_up()


def test_an_unknown_family_is_refused(tiny_model_dir, tmp_path):
    from samgis_process.inference.room import load

    write(tmp_path / "model", tiny_model_dir, {})
    manifest(tmp_path / "model", "sam")
    text = (tmp_path / "model" / "manifest.json").read_text().replace('"sam"', '"sam9"')
    (tmp_path / "model" / "manifest.json").write_text(text)
    with pytest.raises(ModelUnavailable, match="family 'sam9'; known are sam, sam-onnx, sam2"):
        load(tmp_path / "model", Runtime())


def test_a_provider_that_is_not_there_is_said_with_the_remedy(tiny_model_dir):
    model = FAMILIES["sam"](tiny_model_dir, Runtime(provider="cuda"))
    with pytest.raises(ModelUnavailable, match=r"provider is cuda.*offers cpu.*or set cpu"):
        model.warm_up()


def nonsense(graph):
    """Let an encoder give numbers that are none."""
    rename(graph, "tokens", "good", of="")
    graph.graph.initializer.append(helper.make_tensor("nan", TensorProto.FLOAT, [], [np.nan]))
    graph.graph.node.append(helper.make_node("Add", ["good", "nan"], ["tokens"]))


def test_a_model_whose_numbers_are_none_is_refused(tiny_model_dir, tmp_path):
    write(tmp_path / "model", tiny_model_dir, {"encoder.onnx": nonsense})
    with pytest.raises(ModelUnavailable, match="numbers that are none"):
        manifest(tmp_path / "model", "sam").try_out()


@pytest.mark.parametrize("size", [(1, 1), (4000, 1), (1, 4000)])
def test_pictures_of_any_shape_can_be_seen(tiny_model_dir, size):
    model = FAMILIES["sam"](tiny_model_dir, Runtime())
    cols, rows = size
    seen = model.see(model.encode(np.full((rows, cols, 3), 90, np.uint8)))
    frame = model.frame(cols, rows)
    point = frame.coords([Pixel(cols / 2, rows / 2)])
    decoded = model.decode(seen, point, np.ones(1, np.float32))
    mask = choose(decoded, frame.held, "click", Rule())
    held_rows, held_cols = frame.held
    assert (mask.logits[:held_rows, :held_cols] > 0).any()
