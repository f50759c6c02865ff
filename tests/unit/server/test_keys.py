import hashlib
from types import SimpleNamespace

from samgis_process.server.keys import LONGEST, Keyring, hashed, new_key


def entry(name, key, *, operator=False):
    return SimpleNamespace(name=name, sha256=hashed(key), operator=operator)


def test_a_key_is_long_random_and_told_from_others():
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(key.startswith("samgis_") and len(key) >= 7 + 43 for key in keys)


def test_only_a_hash_is_kept():
    assert hashed("samgis_abc") == hashlib.sha256(b"samgis_abc").hexdigest()


def test_a_key_has_its_holder_and_others_have_none():
    ann, bob, operator = new_key(), new_key(), new_key()
    ring = Keyring([entry("ann", ann), entry("bob", bob), entry("ops", operator, operator=True)])
    assert ring.holder(ann).name == "ann"
    assert ring.holder(bob).name == "bob"
    assert [ring.holder(key).is_operator for key in (ann, operator)] == [False, True]
    for wrong in ("", ann[:-1], ann + "x", ann.upper(), hashed(ann), "é" * 40, "x" * LONGEST * 2):
        assert ring.holder(wrong) is None


def test_a_name_may_have_two_keys_while_one_is_replaced():
    old, new = new_key(), new_key()
    ring = Keyring([entry("ann", old), entry("ann", new)])
    assert ring.holder(old) == ring.holder(new)


def test_no_keys_are_no_ring():
    assert not Keyring([])
    assert Keyring([]).holder("x") is None
