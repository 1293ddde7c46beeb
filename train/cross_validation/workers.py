"""Where tasks are done: in processes of this machine, or by the workers of a Dask cluster."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from metadata.plural import counted
from train.cross_validation.fold_scores import FoldScores
from train.cross_validation.fold_task import FoldTask, run_fold

Tell = Callable[[str], None]
Outcome = FoldScores | Exception

MOST_PROCESSES = 8  # by default: each holds a backend of its own, about 1 GB
MOST_ATTEMPTS = 3  # of a task whose worker ended
CONNECT_SECONDS = 20


def usual_jobs(num_tasks: int) -> int:
    """Return how many processes work on this machine where nobody says."""
    return max(1, min(cores(), num_tasks, MOST_PROCESSES))


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def do_here(
    tasks: Sequence[FoldTask], jobs: int, tell: Tell, do: Callable[[FoldTask], FoldScores] = run_fold
) -> Iterator[tuple[FoldTask, Outcome]]:
    """Do tasks in processes of this machine; yield each once, with its scores or what stopped it, as it ends.

    Parameters
    ----------
    tasks : sequence of FoldTask
    jobs : int
        Processes at a time.
    tell : callable
        Called where a process ended early; its task begins anew, at most `MOST_ATTEMPTS` times.
    do : callable
        What a process does; can be pickled.
    """
    left = {task.key: task for task in tasks}
    attempts: Counter[str] = Counter()
    while left:
        begun = list(left.values())
        for task, outcome in _one_pool(begun, min(jobs, len(begun)), do):
            if isinstance(outcome, BrokenProcessPool):
                attempts[task.key] += 1
                if attempts[task.key] < MOST_ATTEMPTS:
                    continue
                outcome = RuntimeError(f"its process ended {MOST_ATTEMPTS} times before it was done; is memory short?")
            del left[task.key]
            yield task, outcome
        if left:
            tell(f"a process ended before its task was done; {counted(len(left), 'task begins', 'tasks begin')} anew")


def _one_pool(
    tasks: Sequence[FoldTask], jobs: int, do: Callable[[FoldTask], FoldScores]
) -> Iterator[tuple[FoldTask, Any]]:
    """Do tasks until all are done or a process ends; those not begun when one ends are not yielded.

    No more tasks than processes are handed over at a time, so that one that ends takes few others with it.
    """
    waiting = list(reversed(tasks))
    # Spawned: a fork of a process with threads of a backend in it can hang.
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        running: dict[Future[FoldScores], FoldTask] = {}
        try:
            is_whole = True
            while running or (waiting and is_whole):
                while waiting and is_whole and len(running) < jobs:
                    task = waiting.pop()
                    running[pool.submit(do, task)] = task
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    outcome = _outcome(future)
                    is_whole = is_whole and not isinstance(outcome, BrokenProcessPool)
                    yield running.pop(future), outcome
        except BrokenProcessPool:  # it ended between two tasks
            return
        except (KeyboardInterrupt, GeneratorExit):
            pool.shutdown(wait=False, cancel_futures=True)
            for process in (pool._processes or {}).values():  # they would finish a training that nobody waits for
                process.terminate()
            raise


def do_on_cluster(tasks: Sequence[FoldTask], address: str, tell: Tell) -> Iterator[tuple[FoldTask, Outcome]]:
    """Do tasks by the workers of a Dask cluster; yield each once, with its scores or what stopped it, as it ends.

    A task whose worker ends is given to another one by the scheduler.

    Parameters
    ----------
    tasks : sequence of FoldTask
    address : str
        Of the scheduler, such as tcp://10.0.0.5:8786.
    tell : callable

    Raises
    ------
    ImportError
        `distributed` is not installed.
    ConnectionError
        No scheduler answers there.
    ValueError
        Workers that have not this version of earproof.
    """
    try:
        distributed: Any = importlib.import_module("distributed")  # untyped
    except ImportError as error:
        raise ImportError(
            "--scheduler needs the package distributed, which is not installed; "
            "install the extra: pip install earproof[cluster]"
        ) from error
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ConnectionError(
            f"no Dask scheduler answers at {address} within {CONNECT_SECONDS} s ({error}); start one with "
            "dask scheduler, and workers with dask worker"
        ) from error
    with client:
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        tell(f"scheduler {address}: {counted(workers, 'worker')}" + ("" if workers else "; waiting for one"))
        # The key names the task: the scheduler does it once, however often it is handed over.
        futures = {client.submit(run_fold, task, key=task.key, pure=False): task for task in tasks}
        try:
            for future in distributed.as_completed(futures, loop=client.loop):
                yield futures[future], _outcome(future)
        finally:
            with contextlib.suppress(Exception):  # the scheduler may be gone
                client.cancel(list(futures))


def _outcome(future: Any) -> Outcome:
    """What a task gave, or what stopped it."""
    error = future.exception()
    if error is None:
        result: FoldScores = future.result()
        return result
    if isinstance(error, Exception):
        return error
    raise pickle.PickleError(f"a task ended with {error!r}")
