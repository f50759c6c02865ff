import numpy as np

from models.evaluation import drawn, mosaic, pairs


def test_a_window_is_filled_and_every_object_has_its_own_number(tmp_path):
    made = mosaic.windows(pairs.load(drawn.write(tmp_path)), [1300], 5)
    assert [one.source for one in made] == sorted(drawn.KINDS)
    roofs = next(one for one in made if one.source == "drawn_roofs")
    picture, labels = mosaic.lay_out(roofs)
    assert picture.shape == (1300, 1300, 3)
    assert picture.min(axis=2).any(axis=0).all()
    numbers = np.unique(labels)
    first, own = roofs.tiles[0].read()
    assert np.array_equal(picture[:512, :512], first)
    kept = labels[:512, :512]
    assert np.array_equal(kept[kept > 0], own[kept > 0])
    there = [np.nonzero(labels == number) for number in numbers[1:]]
    assert all(max(np.ptp(rows), np.ptp(cols)) < 128 for rows, cols in there)
