"""Settings: defaults, the file, variables over it, and errors that say where and what."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flowdbg.config.credentials import read_key
from flowdbg.config.settings import find_profile, load_settings
from flowdbg.errors import ConfigError, UsageError


def write(path: Path, text: str) -> Path:
    file = path / "config.toml"
    file.write_text(text)
    return file


def test_without_a_file_every_setting_has_a_default(tmp_path: Path) -> None:
    loaded = load_settings(tmp_path / "none.toml", {})
    assert loaded.settings.clipboard == "auto"
    assert loaded.origins == {}


def test_variables_win_over_the_file_and_origins_are_known(tmp_path: Path) -> None:
    file = write(tmp_path, 'theme = "light"\nascii = true\n')
    loaded = load_settings(file, {"FLOWDBG_THEME": "dark", "FLOWDBG_URL": ""})
    assert (loaded.settings.theme, loaded.settings.ascii) == ("dark", True)
    assert loaded.origins == {"theme": "$FLOWDBG_THEME", "ascii": str(file)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("theme = ", "config.toml"),
        ('thme = "x"', "unknown setting 'thme'.*Did you mean 'theme'"),
        ('clipboard = "fax"', "'clipboard': Input should be 'auto'"),
        ('[profiles.x]\nurll = "u"', r"profiles.x.url"),
        ("[limits]\nidel = 5", "unknown setting 'limits.idel'.*Did you mean 'idle'"),
        ("[limits]\nprogress = 0", "'limits.progress': Input should be greater than 0"),
        ('[profiles.x]\nurl = "u"\nkey = "nk_live_secret"', r"profiles.x.key"),
        ('[profiles.x]\nurl = "u"\ntoken = "nk_live_secret"', "unknown setting"),
    ],
)
def test_a_wrong_file_is_named_with_the_setting_and_never_the_value(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load_settings(write(tmp_path, text), {})
    assert "secret" not in str(caught.value)


def test_a_profile_is_found_by_flag_then_by_setting(tmp_path: Path) -> None:
    text = 'profile = "a"\n[profiles.a]\nurl = "http://a"\n[profiles.b]\nurl = "http://b"\n'
    settings = load_settings(write(tmp_path, text), {}).settings
    default, named = find_profile(settings, ""), find_profile(settings, "b")
    assert default is not None
    assert named is not None
    assert (default.url, named.url) == ("http://a", "http://b")
    with pytest.raises(ConfigError, match=r"no profile 'bb'.*Did you mean 'b'"):
        find_profile(settings, "bb")


def test_a_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGING_KEY", "nk_x")
    assert read_key("env:STAGING_KEY", "staging") == "nk_x"
    assert read_key("env:NOT_SET", "staging") == ""


def test_a_missing_keyring_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(UsageError, match="pip install keyring"):
        read_key("keyring", "staging")
