"""What a session is run with, merged from what the levels say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.domain.configuration import (
    SYSTEM,
    Configuration,
    EffectiveConfiguration,
    Level,
    LevelKind,
    Origin,
    decided,
    effective,
    parse_configuration,
    patched,
)
from signaling.domain.configuration_rules import check_lockable, check_unlocked, known_keys
from signaling.domain.join_policy import Policy
from signaling.domain.meeting_config import RecordingConfig
from signaling.errors import ConfigurationLockedError, ValidationFailedError

SERVER = Origin(LevelKind.SYSTEM)
ACME = Origin(LevelKind.ORGANIZATION, "acme")
WARD = Origin(LevelKind.UNIT, "ward")
MEETING = Origin(LevelKind.MEETING, "m")


def said(**values: object) -> Configuration:
    return parse_configuration(values)


def test_the_lowest_level_that_says_something_is_heard_and_named() -> None:
    result = effective(
        [
            Level(SERVER, SYSTEM),
            Level(ACME, said(max_participants=100, record_on_start=True)),
            Level(WARD, said(max_participants=20)),
            Level(MEETING, said(profile="clinic")),
        ]
    )
    assert result.values.max_participants == 20
    assert result.values.record_on_start is True
    assert result.values.join_policy is Policy.ORG
    assert result.origins["max_participants"] == WARD
    assert result.origins["record_on_start"] == ACME
    assert result.origins["join_policy"] == SERVER
    assert result.origins["profile"] == MEETING
    assert "max_duration_secs" not in result.origins


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, Policy.PUBLIC, Policy.ORGUNIT, Policy.RESTRICT]),
            st.sampled_from([None, (), ("ward",), ("ward", "desk")]),
            st.sets(st.sampled_from(["join_policy", "allow_join_units", "profile"])),
        ),
        max_size=5,
    )
)
def test_one_key_is_decided_as_all_of_them_together(
    levels: list[tuple[Policy | None, tuple[str, ...] | None, set[str]]],
) -> None:
    chain = [
        Level(
            Origin(LevelKind.UNIT, str(n)),
            Configuration(join_policy=one, allow_join_units=units),
            tuple(locked),
        )
        for n, (one, units, locked) in enumerate(levels)
    ]
    merged = effective(chain).values
    assert decided(chain, "join_policy") == merged.join_policy
    assert decided(chain, "allow_join_units") == merged.allow_join_units


def test_objects_are_merged_key_by_key_and_lists_are_taken_whole() -> None:
    result = effective(
        [
            Level(
                ACME,
                said(
                    recording_config={"max_seconds": 90, "video_config": {"codec": "VP8", "width": 640}},
                    allow_join_units=["a", "b"],
                ),
            ),
            Level(MEETING, said(recording_config={"video_config": {"width": 320}}, allow_join_units=["c"])),
        ]
    )
    recording = result.values.recording_config
    assert recording is not None
    assert (recording.max_seconds, recording.video_config.codec, recording.video_config.width) == (
        90,
        "VP8",
        320,
    )
    assert result.values.allow_join_units == ("c",)
    assert result.origins["recording_config.max_seconds"] == ACME
    assert result.origins["recording_config.video_config.codec"] == ACME
    assert result.origins["recording_config.video_config.width"] == MEETING


def test_defaults_of_an_object_say_nothing() -> None:
    level = Level(ACME, said(recording_config={"video_config": {"height": 360}}))
    below = Level(MEETING, Configuration(recording_config=RecordingConfig(max_seconds=90)))
    recording = effective([level, below]).values.recording_config
    assert recording is not None and recording.video_config.height == 360


def test_null_says_nothing_and_a_patch_with_null_takes_back_what_was_said() -> None:
    before = said(max_participants=5, recording_config={"max_seconds": 90, "video_config": {"width": 640}})
    after = patched(before, {"max_participants": None, "recording_config": {"video_config": {"width": None}}})
    assert after.to_values() == {"recording_config": {"max_seconds": 90, "video_config": {}}}
    assert said(max_participants=None).to_values() == {}
    assert patched(after, {"recording_config": None}).to_values() == {}


def test_what_is_false_or_empty_is_said_all_the_same() -> None:
    result = effective([Level(ACME, said(record_on_start=True)), Level(MEETING, said(record_on_start=False))])
    assert result.values.record_on_start is False


def test_a_lock_holds_against_everything_below_it_and_in_it() -> None:
    result = effective(
        [
            Level(ACME, said(max_participants=9, recording_config={"max_seconds": 90})),
            Level(WARD, said(lobby_enabled=True), locked=("max_participants", "recording_config")),
            Level(
                MEETING,
                said(max_participants=50, lobby_enabled=False, recording_config={"file_name_prefix": "x"}),
            ),
        ]
    )
    assert result.values.max_participants == 9
    assert result.values.lobby_enabled is False
    assert result.values.recording_config == RecordingConfig(max_seconds=90)
    assert result.locked == {"max_participants": WARD, "recording_config": WARD}
    assert result.passed_over == {"max_participants": MEETING, "recording_config.file_name_prefix": MEETING}


def test_a_level_may_say_what_it_locks_itself() -> None:
    result = effective([Level(ACME, said(max_participants=9), locked=("max_participants",))])
    assert result.values.max_participants == 9


def test_saying_what_is_locked_above_is_refused_with_the_key_and_the_level() -> None:
    above = [Level(ACME, locked=("recording_config.max_seconds",))]
    with pytest.raises(ConfigurationLockedError, match="organization acme") as refused:
        check_unlocked(said(recording_config={"max_seconds": 90}), above)
    assert refused.value.field == "recording_config.max_seconds"
    check_unlocked(said(recording_config={"file_name_prefix": "x"}), above)


def test_what_was_said_before_it_was_locked_may_stay() -> None:
    above, before = [Level(ACME, locked=("max_participants",))], said(max_participants=5)
    check_unlocked(said(max_participants=5, profile="clinic"), above, before)
    with pytest.raises(ConfigurationLockedError):
        check_unlocked(said(max_participants=6), above, before)


def test_the_result_survives_being_stored() -> None:
    result = effective(
        [
            Level(SERVER, SYSTEM),
            Level(ACME, said(recording_config={"max_seconds": 90}), locked=("record_on_start",)),
            Level(MEETING, said(record_on_start=True, allow_open_units=["a"])),
        ]
    )
    assert EffectiveConfiguration.from_dict(json.loads(json.dumps(result.to_dict()))) == result


def test_a_snapshot_with_a_key_that_there_is_no_longer_can_be_read() -> None:
    stored = effective([Level(ACME, said(max_participants=3))]).to_dict()
    stored["values"]["gone"] = 1
    assert EffectiveConfiguration.from_dict(stored).values.max_participants == 3


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"max_participants": 0}, "max_participants"),
        ({"max_duration_secs": 59}, "max_duration_secs"),
        ({"join_policy": "NOBODY"}, "join_policy"),
        ({"recording_config": {"max_seconds": 1}}, "recording_config.max_seconds"),
        ({"unknown": 1}, "unknown"),
        ({"allow_join_units": ["u"] * 101}, "allow_join_units"),
    ],
)
def test_a_wrong_value_is_refused_and_named(values: dict[str, object], key: str) -> None:
    with pytest.raises(ValidationFailedError) as refused:
        parse_configuration(values)
    assert refused.value.field == key


def test_only_keys_can_be_locked() -> None:
    assert {"max_participants", "recording_config", "recording_config.video_config.width"} <= known_keys()
    check_lockable(("recording_config.video_config",))
    with pytest.raises(ValidationFailedError, match="colour"):
        check_lockable(("recording_config.colour",))
