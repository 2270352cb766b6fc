"""Exports by other processes: workers that die, an object store, a queue of jobs."""

import importlib
import itertools
import os
import signal
import sys

import pytest
import yaml

from napari_synth import api
from napari_synth.core.errors import InputError, WorkError
from napari_synth.core.progress import CancelToken
from napari_synth.exporting import clusters
from napari_synth.exporting.clusters import JobQueue, Workers, connected, read_job_queue, walltime_seconds
from napari_synth.exporting.finish import finish_export
from napari_synth.exporting.in_shards import export_shards
from napari_synth.exporting.schedulers import Dask
from napari_synth.exporting.sharded import ShardRequest
from napari_synth.exporting.sharded import export_shards as run
from napari_synth.exporting.verify import verify_export
from napari_synth.synthesis.recipes import load_generator
from tests.exporting.test_shards import contents, recipe
from tests.helpers import small_generator


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return load_generator(small_generator(tmp_path_factory.mktemp("model") / "small.safetensors"), "cpu")


@pytest.fixture(scope="module")
def client():
    """Two processes of dask on this machine."""
    pytest.importorskip("distributed")
    with connected(Workers(2)) as client:
        client.wait_for_workers(2, timeout=60)
        yield client


numbers = itertools.count()


@pytest.fixture
def bucket(monkeypatch):
    """An object store on this machine that speaks S3; its address and endpoint."""
    server = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    import s3fs

    name = f"pairs-{next(numbers)}"  # the server forgets nothing while the process lives
    s3fs.S3FileSystem(client_kwargs={"endpoint_url": endpoint}).mkdir(name)
    yield f"s3://{name}/set", endpoint
    s3fs.S3FileSystem.clear_instance_cache()
    running.stop()


def made_by(client, generator, target, n=24, **changes):
    arguments = {"recipe": recipe(generator, n), "shard_size": 3, "device": "cpu"} | changes
    request = ShardRequest(target=str(target), **arguments)
    return run(request, generator, api.mask_reader(), Dask(client))


@pytest.mark.slow
def test_workers_make_what_one_process_makes_and_have_nothing_to_do_then(client, generator, tmp_path):
    result = made_by(client, generator, tmp_path / "many")
    assert (result.made, result.kept, result.failed) == (24, 0, ())
    export_shards(recipe(generator, 24), tmp_path / "one", shard_size=3, device="cpu")
    many, one = contents(tmp_path / "many"), contents(tmp_path / "one")
    assert {name for name in many if not name.startswith("manifests")} == {
        name for name in one if not name.startswith("manifests")
    }
    assert all(many[name] == one[name] for name in many if name.startswith("shards"))
    result = made_by(client, generator, tmp_path / "many")
    assert (result.made, result.kept) == (0, 24)


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing(client, generator, tmp_path):
    killed = []

    def kill(progress):
        if progress.done >= 6 and not killed:
            pids = client.run(os.getpid)
            killed.append(next(iter(pids.values())))
            os.kill(killed[0], signal.SIGKILL)

    request = ShardRequest(recipe(generator, 48), str(tmp_path / "set"), shard_size=3, device="cpu")
    result = run(request, generator, api.mask_reader(), Dask(client), kill)
    assert killed
    assert (result.made + result.kept, result.failed) == (48, ())
    finish_export(str(tmp_path / "set"))
    assert verify_export(str(tmp_path / "set"), device="cpu").faults == ()


@pytest.mark.slow
def test_what_a_worker_meets_comes_back_as_a_sentence_and_stopping_keeps_what_is_whole(client, generator, tmp_path):
    cancel = CancelToken()

    def stop(progress):
        if progress.done >= 6:
            cancel.cancel()

    request = ShardRequest(recipe(generator, 300), str(tmp_path / "set"), shard_size=3, device="cpu")
    result = run(request, generator, api.mask_reader(), Dask(client), stop, cancel)
    assert 6 <= result.made < 300
    assert not result.complete


@pytest.mark.slow
def test_workers_keep_no_profile_of_what_they_did(client, generator, tmp_path):
    made_by(client, generator, tmp_path / "set")
    assert client.profile()["count"] == 0


@pytest.mark.slow
def test_an_object_store_is_filled_by_workers_of_which_one_dies(generator, bucket):
    pytest.importorskip("distributed")
    with connected(Workers(2)) as client:  # which have the credentials in their environment
        fill(client, generator, *bucket)


def fill(client, generator, target, endpoint):
    killed = []

    def kill(progress):
        if progress.done >= 12 and not killed:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    request = ShardRequest(recipe(generator, 160), target, shard_size=4, device="cpu", endpoint=endpoint)
    result = run(request, generator, api.mask_reader(), Dask(client), kill)
    assert killed
    assert (result.made + result.kept, result.failed) == (160, ())
    result = made_by(client, generator, target, 160, shard_size=4, endpoint=endpoint)
    assert (result.made, result.kept) == (0, 160)
    assert finish_export(target, endpoint).shards == 40
    import s3fs

    files = s3fs.S3FileSystem(client_kwargs={"endpoint_url": endpoint}, use_listings_cache=False)
    inside = target.removeprefix("s3://")
    again = [f"{inside}/{kind}/all-{k:06d}.{end}" for k in (39, 3, 17) for kind, end in KINDS]
    before = {name: files.cat_file(name) for name in again}
    for name in again:
        files.rm_file(name)
    assert made_by(client, generator, target, 160, shard_size=4, endpoint=endpoint).made == 12
    assert {name: files.cat_file(name) for name in again if name.endswith(".tar")} == {
        name: data for name, data in before.items() if name.endswith(".tar")
    }
    finish_export(target, endpoint)
    assert verify_export(target, endpoint, device="cpu").faults == ()


KINDS = (("shards", "tar"), ("manifests", "csv"))


def test_an_object_store_takes_what_a_folder_takes(generator, bucket, tmp_path):
    target, endpoint = bucket
    for where, more in ((target, {"endpoint": endpoint}), (str(tmp_path / "set"), {})):
        result = export_shards(recipe(generator, 6), where, shard_size=3, split="1/1", device="cpu", **more)
        assert result.made == 6
    finish_export(target, endpoint)
    finish_export(str(tmp_path / "set"))
    import s3fs

    files = s3fs.S3FileSystem(client_kwargs={"endpoint_url": endpoint})
    root = target.removeprefix("s3://")
    inside = {name.removeprefix(f"{root}/"): files.cat_file(name) for name in files.find(root)}
    here = contents(tmp_path / "set")
    assert inside.keys() == here.keys()
    assert {name for name in here if inside[name] != here[name]} <= {"TRAIN.md"}  # which names the place
    assert export_shards(recipe(generator, 6), target, shard_size=3, split="1/1", device="cpu", endpoint=endpoint).kept
    with pytest.raises(InputError, match="already holds other pairs"):
        export_shards(recipe(generator, 6, seed=9), target, shard_size=3, split="1/1", device="cpu", endpoint=endpoint)
    assert verify_export(target, endpoint, device="cpu").faults == ()
    with pytest.raises(WorkError, match="cannot be written"):
        export_shards(recipe(generator, 6), "s3://no-such-bucket/set", device="cpu", endpoint=endpoint)


SBATCH = """#!{python}
# Runs the job script as SLURM would on a node, in the background.
import re, subprocess, sys
job = subprocess.Popen(["/bin/bash", sys.argv[-1]], stdout=open("{log}", "a"), stderr=subprocess.STDOUT,
                       stdin=subprocess.DEVNULL, start_new_session=True)
print(f"Submitted batch job {{job.pid}}")
"""
SCANCEL = """#!{python}
import os, signal, sys
for number in sys.argv[1:]:
    try:
        os.killpg(int(number), signal.SIGTERM)
    except ProcessLookupError:
        pass
"""


@pytest.mark.slow
def test_jobs_of_slurm_make_the_pairs(generator, tmp_path, monkeypatch):
    """With programs that stand in for ``sbatch`` and ``scancel``; the rest is what a cluster would run."""
    pytest.importorskip("dask_jobqueue")
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.format(python=sys.executable, log=tmp_path / "jobs.log"))
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    settings = {
        "kind": "slurm",
        "queue": "cpu",
        "cores": 1,
        "memory": "2GB",
        "walltime": "00:10:00",
        "jobs": {"minimum": 1, "maximum": 2},
        "interface": "lo",
    }
    (tmp_path / "slurm.yaml").write_text(yaml.safe_dump(settings))
    who = Workers(cluster=tmp_path / "slurm.yaml")
    result = export_shards(recipe(generator, 12), tmp_path / "set", shard_size=3, workers=who, device="cpu")
    assert (result.made, result.failed) == (12, ()), (tmp_path / "jobs.log").read_text()
    assert finish_export(str(tmp_path / "set")).pairs == 12


def test_the_job_script_asks_for_what_the_settings_say(tmp_path):
    jobqueue = pytest.importorskip("dask_jobqueue")
    text = "kind: slurm\nqueue: gpu\ncores: 4\nprocesses: 1\nwalltime: '02:00:00'\ndirectives: ['--gres=gpu:1']\n"
    (tmp_path / "slurm.yaml").write_text(text)
    queue = read_job_queue(tmp_path / "slurm.yaml")
    assert queue.lifetime == ["--lifetime", "6480s", "--lifetime-stagger", "360s"]
    with clusters.job_cluster(jobqueue, queue) as cluster:
        script = cluster.job_script()
    for line in ("-p gpu", "--gres=gpu:1", "-t 02:00:00", "--cpus-per-task=4", "--lifetime 6480s"):
        assert line in script
    assert script.index("WORKER__PROFILE__ENABLED=False") < script.index("distributed.cli.dask_worker")


def test_walltimes_are_read():
    assert [walltime_seconds(text) for text in ("01:00:00", "30:00", "1-00:00:00", "2h")] == [3600, 1800, 86400, 0]
    assert JobQueue(walltime="whenever").lifetime == []


def test_settings_of_a_queue_that_cannot_be_are_refused(tmp_path):
    path = tmp_path / "queue.yaml"
    for text, words in (
        ("kind: slrum", "no kind of queue called 'slrum'"),
        ("coers: 4", "coers"),
        ("jobs: {maximum: 0}", "jobs.maximum"),
        ("- 1", "is not valid"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=words):
            read_job_queue(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_job_queue(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="Give one of --workers"):
        Workers(2, "tcp://host:1")


def test_a_missing_package_is_one_sentence_with_the_line_for_pip(generator, tmp_path, monkeypatch):
    real = importlib.import_module

    def missing(name, *arguments):
        if name in ("distributed", "dask_jobqueue"):
            raise ModuleNotFoundError(name)
        return real(name, *arguments)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(InputError, match=r"pip install 'napari-synth\[cluster\]'"):
        export_shards(recipe(generator), tmp_path, workers=2, device="cpu")
    monkeypatch.undo()
    importlib.import_module("fsspec.registry")
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(InputError, match=r"pip install 'napari-synth\[s3\]'"):
        export_shards(recipe(generator), "s3://bucket/set", device="cpu")


def test_a_scheduler_that_does_not_answer_is_named(generator, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(clusters, "PATIENCE", 0.5)
    with pytest.raises(WorkError, match=r"127\.0\.0\.1:9 does not answer"):
        export_shards(recipe(generator), tmp_path, workers=Workers(scheduler="tcp://127.0.0.1:9"), device="cpu")
