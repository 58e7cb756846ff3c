"""Work for a Dask cluster, which ``joblib.parallel_config("dask")`` names.

joblib's own way to Dask is not taken: data that it has sent to a worker are lost if that worker is killed,
and it waits for ever for a task that kills its workers (both seen with joblib 1.6).
"""

from __future__ import annotations

import functools
import pickle
import platform
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from serlab import provenance
from serlab.errors import SerlabError

if TYPE_CHECKING:
    from distributed import Client, Future

# Tasks handed out for each core: enough to keep it busy, few enough that results do not pile up.
AHEAD = 4


def client() -> Client | None:
    """Return the Dask client to work with, or None outside of ``joblib.parallel_config("dask")``.

    Examples
    --------
    >>> client() is None
    True
    """
    import joblib

    backend, _ = joblib.parallel.get_active_backend()
    return getattr(backend, "client", None)


def share(client: Client, value: Any) -> Future:
    """Give something large to all tasks: sent once, and sent again where a worker that had it was killed."""
    import dask

    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
        return client.submit(_same, value, pure=False)


def _same(value: Any) -> Any:
    return value


def spread(
    client: Client,
    function: Callable,
    tasks: Iterable[tuple],
    *,
    code: Any,
    libraries: Iterable[str] = (),
    in_order: bool,
) -> Iterator[Any]:
    """Call a function on the workers with the arguments of each task, and yield its results.

    A worker that is killed costs what it was computing, which others do again. Tasks are asked for as results
    are taken, a few ahead. Workers must have the versions of this computer of the usual packages and of
    `libraries`, and be able to import `code`. Results come in the order of the tasks, or as they are ready.
    `SerlabError` if a task kills its workers, or a worker lacks something or would compute otherwise than
    this computer; else what the function raises.
    """
    from distributed import KilledWorker, wait

    expected = tuple(provenance.installation(*libraries).items())
    _check_imports(client, code)
    waiting: list = []

    def finished() -> Any:
        done = waiting if in_order else wait(waiting, return_when="FIRST_COMPLETED").done
        future = next(iter(done))
        waiting.remove(future)
        return future.result()

    try:
        for task in tasks:
            waiting.append(client.submit(_call, expected, function, *task, pure=False))
            # Cores are counted each time: workers may have come, and would stay idle.
            if len(waiting) >= AHEAD * max(1, sum(client.ncores().values())):
                yield finished()
        while waiting:
            yield finished()
    except KilledWorker as error:
        raise SerlabError(
            "One task has killed several workers, perhaps for want of memory. What was finished before is "
            f"kept: start fewer workers on each machine, and call again. Dask says: {error}"
        ) from error


def _check_imports(client: Client, code: Any) -> None:
    """Raise SerlabError if the cluster cannot import something: Dask would wait for ever."""
    import cloudpickle

    sent = cloudpickle.dumps(code)
    try:
        client.run_on_scheduler(pickle.loads, sent)
        client.run(pickle.loads, sent)
    except (ImportError, AttributeError) as error:
        raise SerlabError(
            f"A worker cannot import what it is to compute with: {error}. Install it on every machine, or "
            'send a file of your own: client.upload_file("mine.py")'
        ) from error


def _call(expected: tuple[tuple[str, str], ...], function: Callable, *arguments: Any) -> Any:
    _prepare(expected)
    return function(*arguments)


@functools.cache
def _prepare(expected: tuple[tuple[str, str], ...]) -> None:
    """Make sure that a worker computes what the computer that asks would, and in one thread."""
    import threadpoolctl

    provenance.one_thread()
    threadpoolctl.threadpool_limits(1)
    here = provenance.installation(*dict(expected))
    for name, wanted in expected:
        if here[name] != wanted:
            raise SerlabError(
                f"The worker {platform.node()} has {name} {here[name]}, and the computer that asks has "
                f"{wanted}: results would not be the same. Install the same versions on both."
            )
