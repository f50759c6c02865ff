from samgis_process.server import rate_limits
from samgis_process.server.rate_limits import RateLimit, name_of


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def limit(per_minute=60, burst=3):
    clock = Clock()
    return RateLimit(per_minute, burst, clock), clock


def test_a_burst_passes_and_then_one_a_second():
    bucket, clock = limit()
    assert [bucket.take("a") for _ in range(4)] == [0, 0, 0, 1]
    clock.now += 0.25
    assert bucket.take("a") == 0.75
    clock.now += 0.75
    assert bucket.take("a") == 0
    assert bucket.take("a") == 1


def test_who_waits_is_not_punished_for_asking():
    bucket, clock = limit()
    for _ in range(100):
        bucket.take("a")
    clock.now += 1
    assert bucket.take("a") == 0


def test_a_pause_fills_no_more_than_the_burst():
    bucket, clock = limit()
    clock.now += 3600
    assert [bool(bucket.take("a")) for _ in range(4)] == [False, False, False, True]


def test_each_has_a_bucket_of_their_own():
    bucket, _ = limit(burst=1)
    assert (bucket.take("a"), bucket.take("b")) == (0, 0)
    assert bucket.take("a") > 0


def test_no_limit_is_no_limit():
    bucket, _ = limit(per_minute=None)
    assert not any(bucket.take("a") for _ in range(1000))


def test_memory_is_bounded():
    bucket, _ = limit()
    for number in range(rate_limits.MOST + 500):
        bucket.take(str(number))
    assert len(bucket._buckets) == rate_limits.MOST


def test_a_household_of_ipv6_counts_as_one():
    assert name_of("2001:db8:1:2::5") == name_of("2001:db8:1:2:a::6") == "2001:db8:1:2::/64"
    assert name_of("2001:db8:1:3::5") == "2001:db8:1:3::/64"
    assert name_of("192.0.2.7") == "192.0.2.7"
    assert name_of("unknown") == "unknown"


def test_what_is_small_takes_part_of_a_token():
    bucket, clock = limit(burst=2)
    assert [bucket.take("a", 0.25) for _ in range(5)] == [0] * 5
    assert bucket.take("a") == 0.25
    assert [bucket.take("a", 0.25) for _ in range(4)] == [0, 0, 0, 0.25]
    clock.now += 0.25
    assert bucket.take("a", 0.25) == 0
