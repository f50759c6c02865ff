"""Memory under a load of minutes: it stays where it was."""

import pytest

MOST_MB, MOST_SLOPE = 900, 3


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_ten_minutes_of_a_mixed_load(tmp_path, capsys, script):
    mixed_load = script("bench/mixed_load")
    found, answers = mixed_load.measure(tmp_path, 600, 16)
    most, slope = max(megabytes for _, megabytes in found), mixed_load.slope(found)
    with capsys.disabled():
        print(f"\nmost {most:.0f} MB, slope {slope:+.1f} MB a minute, {answers}")
    assert answers.keys() <= {200, 201, 503}
    assert most < MOST_MB
    assert abs(slope) < MOST_SLOPE
