"""What can be chosen about the service: defaults, one TOML file, and the environment."""

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from serlab.errors import SerlabError

PREFIX = "SERLAB_SERVE_"
_Count = Annotated[int, Field(ge=1, le=10_000)]
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Settings:
    """Settings of the service, each with its default.

    Attributes
    ----------
    host : str, default 127.0.0.1
    port : int, default 8800
        Address to listen at. Any that is not of this computer alone demands a `token`.
    token : str, default none
        What a client must send as ``Authorization: Bearer TOKEN``; 16 characters or more, or empty for none.
    data : Path, default the user's folder for data
        For jobs and trained models. One service at a time uses it.
    pages : Path, default _build/html
        The built book, served at ``/book/`` if it is there.
    corpora : dict of str to Path, default none
        Folders of your own, by the names under which clients know them, beside the corpora of serlab.
    model : str, default emotions
        Which model answers where a request names none.
    upload : int, default 16
        Largest recording that is sent, in MiB.
    seconds : float, default 300.0
        Longest recording, in seconds.
    listeners : int, default one for each processor, up to 4
        Processes that listen, each to one recording at a time. With the model of serlab each takes 450 MB.
    memory : int, default 1024
        How much memory a recording may take in such a process, in MiB. Kept to on Linux.
    waiting : int, default 64
        Requests that may wait for a listener; more are sent away with status 503.
    timeout : float, default 60.0
        Time for a request to be answered, in seconds.
    jobs : int, default 8
        Trainings that may wait while one runs.
    streams : int, default 32
        Clients that may follow trainings at once.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8800
    token: str = ""
    data: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("serlab")) / "service")
    pages: Path = Path("_build/html")
    corpora: dict[_Name, Path] = Field(default_factory=dict)
    model: str = "emotions"
    upload: _Count = 16
    seconds: Annotated[float, Field(gt=0, le=3600)] = 300.0
    listeners: _Count = min(4, os.cpu_count() or 1)
    memory: _Count = 1024
    waiting: _Count = 64
    timeout: Annotated[float, Field(gt=0, le=3600)] = 60.0
    jobs: _Count = 8
    streams: _Count = 32

    @property
    def local(self) -> bool:
        """Whether only this computer can reach the service."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def read(file: str | os.PathLike | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read settings: those of `environment`, such as ``SERLAB_SERVE_PORT``, count before those of the file.

    Raises
    ------
    SerlabError
        If the file cannot be read, a setting is unknown or cannot be what it is given as, or a token is
        missing where other computers could reach the service.

    Examples
    --------
    >>> settings = read(environment={"SERLAB_SERVE_PORT": "9000"})
    >>> settings.host, settings.port, settings.local
    ('127.0.0.1', 9000, True)
    >>> read(environment={"SERLAB_SERVE_HOST": "0.0.0.0"})
    Traceback (most recent call last):
        ...
    serlab.errors.SerlabError: 0.0.0.0 can be reached by other computers: set SERLAB_SERVE_TOKEN to ...
    """
    given = {}
    if file is not None:
        try:
            given = tomllib.loads(Path(file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SerlabError(f"{file} cannot be read as settings: {error}") from error
    known = Settings.__annotations__.keys() - {"corpora"}
    for name in environment:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() not in known:
            raise SerlabError(
                f"{name} is no setting of the environment: take one of {', '.join(sorted(known))}"
            )
    for name in known:
        if value := environment.get(PREFIX + name.upper()):
            given[name] = value
    try:
        settings = TypeAdapter(Settings).validate_python(given)
    except ValidationError as error:
        # Without the value, which may be a token.
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise SerlabError(f"Settings of the service ({file or 'environment'}): {wrong}") from None
    if settings.token and len(settings.token) < 16:
        raise SerlabError(f"{PREFIX}TOKEN is too easily guessed: take 16 characters or more")
    if not (settings.local or settings.token):
        raise SerlabError(
            f"{settings.host} can be reached by other computers: set {PREFIX}TOKEN to a secret of 16 "
            "characters or more, or take the host 127.0.0.1"
        )
    return settings
