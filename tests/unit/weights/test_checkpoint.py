"""The checkpoint reader takes state dicts, and nothing else that a pickle can say."""

import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from samgis_process.weights.checkpoint import CheckpointRefused, read_state_dict

FLOATS = np.arange(6, dtype="<f4")

# A pickle by hand, protocol 2: what torch.save writes, opcode by opcode.
STOP = b"."


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def several(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def storage(key: str = "0", length: int = 6, kind: str = "FloatStorage") -> bytes:
    return several(text("storage"), name("torch", kind), text(key), text("cpu"), number(length))


def tensor(
    size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0, where: bytes = b""
) -> bytes:
    hooks = name("collections", "OrderedDict") + b")R"
    layout = [several(*map(number, size)), several(*map(number, stride))]
    arguments = several((where or storage()) + b"Q", number(offset), *layout, b"\x89", hooks)
    return name("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"


def state_dict(**values: bytes) -> bytes:
    items = b"".join(text(key) + value + b"s" for key, value in values.items())
    return b"\x80\x02}" + items + STOP


def checkpoint(
    directory: Path, program: bytes, storages: dict[str, bytes] | None = None, packing: int = 0
) -> Path:
    path = directory / "model.pt"
    storages = {"0": FLOATS.tobytes()} if storages is None else storages
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("model/data.pkl", program)
        for key, content in storages.items():
            archive.writestr(f"model/data/{key}", content)
    return path


def test_a_plain_state_dict_is_read(tmp_path: Path) -> None:
    program = state_dict(**{"a.weight": tensor((2, 3), (3, 1)), "a.bias": tensor((2,), (1,), 4)})
    found = read_state_dict(checkpoint(tmp_path, program))
    assert found.keys() == {"a.weight", "a.bias"}
    np.testing.assert_array_equal(found["a.weight"], FLOATS.reshape(2, 3))
    np.testing.assert_array_equal(found["a.bias"], FLOATS[4:])


def test_a_transposed_tensor_and_a_scalar_are_read(tmp_path: Path) -> None:
    program = state_dict(turned=tensor((3, 2), (1, 3)), scalar=tensor((), (), 5))
    found = read_state_dict(checkpoint(tmp_path, program))
    np.testing.assert_array_equal(found["turned"], FLOATS.reshape(2, 3).T)
    assert found["scalar"].shape == ()
    assert found["scalar"] == 5


def test_whole_numbers_and_half_floats_are_read(tmp_path: Path) -> None:
    counts, halves = np.array([7, -1], "<i8"), np.array([0.5, 2], "<f2")
    program = state_dict(
        counts=tensor((2,), (1,), where=storage("1", 2, "LongStorage")),
        halves=tensor((2,), (1,), where=storage("2", 2, "HalfStorage")),
    )
    path = checkpoint(tmp_path, program, {"1": counts.tobytes(), "2": halves.tobytes()})
    found = read_state_dict(path)
    np.testing.assert_array_equal(found["counts"], counts)
    np.testing.assert_array_equal(found["halves"], halves)


class Calls:
    """Pickles as a call of `function` with `arguments`."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call


HOSTILE = {
    "os.system": lambda mark: Calls(os.system, f"touch {mark}"),
    "eval": lambda mark: Calls(eval, f"open({str(mark)!r}, 'w')"),
    "exec": lambda mark: Calls(exec, f"open({str(mark)!r}, 'w')"),
    "open": lambda mark: Calls(open, str(mark), "w"),
    "getattr": lambda _: Calls(getattr, "a", "upper"),
    "nested": lambda mark: OrderedDict(a=OrderedDict(b=(Calls(os.system, f"touch {mark}"), 1))),
    "reduce in reduce": lambda mark: Calls(OrderedDict, Calls(os.system, f"touch {mark}")),
}


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_pickle_is_refused_and_does_nothing(
    tmp_path: Path, kind: str, protocol: int
) -> None:
    mark = tmp_path / "mark"
    hostile = HOSTILE[kind](mark)
    program = pickle.dumps(hostile, protocol)
    with pytest.raises(CheckpointRefused):
        read_state_dict(checkpoint(tmp_path, program))
    assert not mark.exists()


def test_a_hostile_call_behind_good_tensors_is_refused(tmp_path: Path) -> None:
    call = name("os", "system") + several(text("true")) + b"R"
    program = state_dict(good=tensor((6,), (1,)), bad=call)
    with pytest.raises(CheckpointRefused, match="not allowed"):
        read_state_dict(checkpoint(tmp_path, program))


@pytest.mark.parametrize(
    "target",
    [
        name("torch._utils", "_rebuild_tensor_v2"),
        name("collections", "OrderedDict"),
        name("torch", "FloatStorage"),
        tensor((6,), (1,)),
    ],
)
def test_build_cannot_change_what_it_is_given(tmp_path: Path, target: bytes) -> None:
    state = b"}" + text("__call__") + text("x") + b"s"
    slots = b"N}" + text("__defaults__") + text("x") + b"s\x86"
    for change in (state, slots):
        program = state_dict(a=target + change + b"b")
        with pytest.raises(CheckpointRefused):
            read_state_dict(checkpoint(tmp_path, program))
    read_state_dict(checkpoint(tmp_path, state_dict(a=tensor((6,), (1,)))))


@pytest.mark.parametrize(
    ("size", "stride", "offset"),
    [
        ((7,), (1,), 0),  # longer than the storage
        ((6,), (1,), 1),  # shifted out of it
        ((2, 3), (4, 1), 0),  # rows too far apart
        ((2,), (100_000_000,), 0),
        ((2,), (-1,), 3),
        ((6,), (1,), -1),
        ((1_000_000,), (0,), 0),  # one element, repeated
        ((2, 3), (1,), 0),
        ((0,), (1,), 6),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(
    tmp_path: Path, size: tuple[int, ...], stride: tuple[int, ...], offset: int
) -> None:
    program = state_dict(a=tensor(size, stride, offset))
    with pytest.raises(CheckpointRefused):
        read_state_dict(checkpoint(tmp_path, program))


@pytest.mark.parametrize("content", [b"", FLOATS.tobytes()[:-4], FLOATS.tobytes()[:-1]])
def test_a_storage_of_the_wrong_size_is_refused(tmp_path: Path, content: bytes) -> None:
    program = state_dict(a=tensor((2,), (1,)))
    with pytest.raises(CheckpointRefused):
        read_state_dict(checkpoint(tmp_path, program, {"0": content}))


def test_one_storage_cannot_be_of_two_types(tmp_path: Path) -> None:
    other = storage("0", 6, "IntStorage")
    program = state_dict(a=tensor((6,), (1,)), b=tensor((6,), (1,), where=other))
    with pytest.raises(CheckpointRefused, match="size or type"):
        read_state_dict(checkpoint(tmp_path, program))


@pytest.mark.parametrize("key", ["../0", "", "0/../0", "\u0663", "1" * 30, "9"])
def test_a_storage_that_is_not_there_or_badly_named_is_refused(tmp_path: Path, key: str) -> None:
    program = state_dict(a=tensor((6,), (1,), where=storage(key)))
    with pytest.raises(CheckpointRefused):
        read_state_dict(checkpoint(tmp_path, program))


@pytest.mark.parametrize("bad", ["", "a b", "../../etc/passwd", "a\n", "x" * 201])
def test_a_bad_tensor_name_is_refused(tmp_path: Path, bad: str) -> None:
    with pytest.raises(CheckpointRefused, match="name"):
        read_state_dict(checkpoint(tmp_path, state_dict(**{bad: tensor((6,), (1,))})))


def test_a_value_that_is_no_tensor_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointRefused, match="epoch is no tensor but int"):
        read_state_dict(checkpoint(tmp_path, state_dict(epoch=number(3))))


def test_something_that_is_no_dict_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointRefused, match="expected a state dict"):
        read_state_dict(checkpoint(tmp_path, b"\x80\x02" + number(1) + STOP))


def test_a_huge_memo_is_refused(tmp_path: Path) -> None:
    program = b"\x80\x02}" + b"r" + struct.pack("<I", 2**31 - 1) + STOP
    with pytest.raises(CheckpointRefused, match="memo"):
        read_state_dict(checkpoint(tmp_path, program))


def test_a_packed_archive_is_refused(tmp_path: Path) -> None:
    bomb = {"0": bytes(10_000_000)}
    path = checkpoint(tmp_path, state_dict(), bomb, zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointRefused, match="packed"):
        read_state_dict(path)


def test_an_archive_over_the_limit_is_refused(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, state_dict(), {"0": bytes(2000)})
    with pytest.raises(CheckpointRefused, match="limit is 1000"):
        read_state_dict(path, max_bytes=1000)


@pytest.mark.parametrize("length", [0, 10, 150])
def test_a_truncated_file_is_refused(tmp_path: Path, length: int) -> None:
    path = checkpoint(tmp_path, state_dict(a=tensor((6,), (1,))))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckpointRefused):
        read_state_dict(path)


@pytest.mark.parametrize("length", [1, 3, 40, 120])
def test_a_truncated_pickle_is_refused(tmp_path: Path, length: int) -> None:
    program = state_dict(a=tensor((6,), (1,)))[:length]
    with pytest.raises(CheckpointRefused):
        read_state_dict(checkpoint(tmp_path, program))


def test_damaged_content_is_refused(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, state_dict(a=tensor((6,), (1,))))
    path.write_bytes(path.read_bytes().replace(FLOATS.tobytes(), bytes(24)))
    with pytest.raises(CheckpointRefused):
        read_state_dict(path)
