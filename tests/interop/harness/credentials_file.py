"""A file for `rehearse up --credentials-file`.

    with CredentialsFile(KEYS) as file, Service(file.flag, keys=KEYS) as service: ...
"""

import os
import tempfile

KEYS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG"}


def environment(keys):
    """The variables in which SDKs look for the keys."""
    return {name.upper(): value for name, value in keys.items()}


class CredentialsFile:
    """One profile for each of `keys`; gone with the `with` statement."""

    def __init__(self, *keys):
        self._folder = tempfile.TemporaryDirectory()
        path = os.path.join(self._folder.name, "credentials")
        with open(path, "w", encoding="utf-8") as file:
            for number, settings in enumerate(keys):
                print(f"[profile-{number}]", file=file)
                for name, value in settings.items():
                    print(f"{name} = {value}", file=file)
        self.flag = f"--credentials-file={path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()
