from datetime import UTC, datetime

import pytest

from renders.services.refresh.circuit_breaker import CircuitBreaker

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class TestCircuitBreaker:
    def test_a_bucket_that_fails_is_silent_for_longer_each_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("renders.services.refresh.circuit_breaker.random.uniform", lambda low, high: high)
        clock = [0.0]
        monkeypatch.setattr("renders.services.refresh.circuit_breaker.time.monotonic", lambda: clock[0])
        breaker = CircuitBreaker()
        for seconds in (2, 4, 8, 16, 32, 60, 60):
            breaker.begin("dead")
            breaker.end("dead", has_answered=False)
            clock[0] += seconds - 0.1
            assert breaker.open_buckets() == ["dead"]
            clock[0] += 0.2
            assert breaker.open_buckets() == []

    def test_one_thread_at_a_time_finds_out_whether_it_answers_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = [0.0]
        monkeypatch.setattr("renders.services.refresh.circuit_breaker.time.monotonic", lambda: clock[0])
        breaker = CircuitBreaker()
        breaker.begin("dead")
        assert breaker.open_buckets() == []
        breaker.end("dead", has_answered=False)
        clock[0] += 2
        breaker.begin("dead")
        assert breaker.open_buckets() == ["dead"]
        breaker.end("dead", has_answered=True)
        assert breaker.open_buckets() == []
