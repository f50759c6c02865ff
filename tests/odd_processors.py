"""pygeoapi processors that misbehave, as other people's may."""

import time

from pygeoapi.process.base import BaseProcessor, ProcessorExecuteError


def metadata(name):
    text = {"title": name, "schema": {"type": "string"}}
    return {
        "version": "1.0", "id": name, "title": {"en": name}, "description": {"en": name},
        "jobControlOptions": ["sync-execute", "async-execute"],
        "inputs": {"how": text | {"minOccurs": 0}},
        "outputs": {"said": {"title": "Said", "schema": {"type": "object"}}},
    }  # fmt: skip


class Odd(BaseProcessor):
    """Does what its input `how` says."""

    def __init__(self, processor_def):
        super().__init__(processor_def, metadata("odd"))

    def execute(self, data, outputs=None):  # noqa: ARG002  pygeoapi passes it
        match data.get("how"):
            case "refuse":
                raise ProcessorExecuteError("no such name", user_msg="no such name")
            case "raise":
                raise KeyError("s3cret of the inside")
            case "hang":
                time.sleep(3600)
            case "print":
                print("noise")
            case "set":
                return "application/json", {1, 2}
            case "bytes":
                return "image/png", b"\x89PNG"
        return "application/json", {"said": data.get("how", "nothing")}


class Undescribed(BaseProcessor):
    """Describes its inputs with what is no schema."""

    def __init__(self, processor_def):
        inputs = {"a": {"schema": {"type": "object", "properties": 5}}}
        super().__init__(processor_def, metadata("undescribed") | {"inputs": inputs})


class Unloadable(BaseProcessor):
    """Cannot be made."""

    def __init__(self, _processor_def):
        raise RuntimeError("no licence")
