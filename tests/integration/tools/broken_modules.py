# SPDX-License-Identifier: MPL-2.0
"""Test modules that the server must refuse, and test modules that fail in one stage."""


#: {module: the error in the log}
BROKEN = {
    "no-symbol": r"no symbol relay_module",
    "unresolved": r"undefined symbol: relay_function_of_tomorrow",
    "bad-magic": r"begins with deadbeef instead of 524c594d",
    "other-major": r"built for module API 2\.7, and this server has 1\.\d+: it must be built again",
    "newer-minor": r"built for module API 1\.\d+, and this server has 1\.\d+: it needs a newer",
    "short-size": r"gives its own size as \d+ bytes and has \d+; this server takes \d+ to \d+",
    "wrong-name": r"named 'right-name': the file must be named 'right-name\.so'",
    "bad-options": r"two options named 'limit'",
    "bad-default": r"default of its option 'limit'.*many",
    "bad-successor": r"'most' and the successor 'limit' are not of the same field and type",
}

#: The stages in which the test module `failing` can fail.
STAGES = ["check", "init", "start", "worker-start"]
