"""Backbones: weights read from files of others, kept on this machine, and fetched from an address."""

import hashlib
import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import h5py
import numpy as np
import pytest
from tiny_backbone import NORM_ARRAYS, NUM_BLOCKS, random_arrays, write_h5

import earproof
from train.backbones import installed, known
from train.backbones.h5_weights import read_h5
from train.backbones.installed import add_backbone, find_backbone, installed_backbones
from train.backbones.tflite_weights import read_tflite
from train.backbones.yamnet import (
    PATCH_FRAMES,
    PATCH_SAMPLES,
    YamnetWeights,
    embed_patches,
    front_end,
    give_weights,
    weight_shapes,
)


def embedding_model(weights: YamnetWeights):
    import keras

    patches = keras.Input((PATCH_FRAMES, 64, 1))
    model = keras.Model(patches, embed_patches(patches, weights))
    give_weights(model, weights)
    return model


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(installed.FOLDER_VARIABLE, str(tmp_path / "backbones"))
    return tmp_path


def test_the_network_has_the_published_size():
    sizes = {
        name: sum(int(np.prod(shape)) for shapes in weight_shapes(count).values() for shape in shapes)
        for name, count in (("yamnet_256", 5), ("yamnet_1024", 13))
    }
    # 135,104 parameters are published for the first; 3,217,344 are those of the second without its 521 classes.
    assert sizes == {"yamnet_256": 135_104, "yamnet_1024": 3_217_344}


def test_a_patch_is_96_frames_of_15600_samples():
    from metadata.spec import frame_count

    assert frame_count(front_end(1e-3), PATCH_SAMPLES) == PATCH_FRAMES
    assert frame_count(front_end(1e-3), PATCH_SAMPLES - 1) == PATCH_FRAMES - 1


@pytest.mark.parametrize("prefix", ["", "model_weights/model_2/"])
def test_the_arrays_of_a_keras_file_are_found_whatever_wraps_them(tmp_path, prefix):
    arrays = random_arrays()
    found = read_h5(write_h5(tmp_path / "a.h5", arrays, prefix))
    assert found.num_blocks == NUM_BLOCKS
    assert found.relu_limit is None
    for name, values in arrays.items():
        for expected, array in zip(values, found.arrays[name], strict=True):
            np.testing.assert_array_equal(array, expected)


def test_a_keras_file_of_weights_alone_writes_the_layer_twice(tmp_path):
    with h5py.File(tmp_path / "twice.h5", "w") as file:
        for name, values in random_arrays().items():
            layer, kind = name.removesuffix("_norm").split("_", 1)
            if not name.endswith("_norm"):
                kernel = "depthwise_kernel" if kind == "depthwise_conv" else "kernel"
                file[f"{layer}/{kind}/{layer}/{kind}/{kernel}:0"] = values[0]
            else:
                for one, array in zip(NORM_ARRAYS, values, strict=True):
                    file[f"{layer}/{kind}/bn/{layer}/{kind}/bn/{one}:0"] = array
    assert read_h5(tmp_path / "twice.h5").num_blocks == NUM_BLOCKS


def test_a_tflite_file_gives_the_embeddings_that_it_computes_itself(tmp_path):
    from convert.export.float_export import export_float
    from edge_runtime.model.interpreter import open_interpreter

    weights = YamnetWeights(NUM_BLOCKS, random_arrays(), relu_limit=6.0)
    content = export_float(embedding_model(weights))
    (tmp_path / "a.tflite").write_bytes(content)
    found = read_tflite(tmp_path / "a.tflite")
    assert (found.num_blocks, found.relu_limit) == (NUM_BLOCKS, 6.0)
    patch = np.random.default_rng(1).normal(0, 1, (1, PATCH_FRAMES, 64, 1)).astype(np.float32)
    interpreter = open_interpreter(content)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], patch)
    interpreter.invoke()
    expected = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(embedding_model(found).predict(patch, verbose=0), expected, atol=1e-5)


def test_weights_of_8_bits_become_numbers_within_half_a_step(tmp_path):
    from convert.export.float_export import export_float
    from convert.quantization.quantize import quantize
    from convert.recipes import find_recipe

    weights = YamnetWeights(NUM_BLOCKS, random_arrays())
    plain = export_float(embedding_model(weights))
    paths = [tmp_path / "float.tflite", tmp_path / "int8.tflite"]
    for path, content in zip(paths, (plain, quantize(plain, find_recipe("dynamic_int8"), None)), strict=True):
        path.write_bytes(content)
    exact, rounded = (read_tflite(path).arrays["layer2_pointwise_conv"][0] for path in paths)
    steps = np.abs(exact).max(axis=(0, 1, 2)) / 127
    assert not np.array_equal(exact, rounded)
    assert (np.abs(exact - rounded) <= 0.51 * steps).all()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"layer2_depthwise_conv": (np.zeros((3, 3, 16, 1), np.float32),)}, "have the shapes .*expected"),
        ({"layer1_conv": (np.full((3, 3, 1, 32), np.nan, np.float32),)}, "layer1_conv .* not all finite"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_layer(folder, change, told):
    path = write_h5(folder / "odd.h5", {**random_arrays(), **change})
    with pytest.raises(ValueError, match=told):
        add_backbone(path, "odd")
    assert installed_backbones() == ()


def test_files_that_are_no_backbone_are_refused(folder):
    cut, other, text = folder / "cut.h5", folder / "other.h5", folder / "text.txt"
    cut.write_bytes(write_h5(folder / "whole.h5", random_arrays()).read_bytes()[:5000])
    with h5py.File(other, "w") as file:
        file["dense/kernel:0"] = np.zeros(3)
    text.write_text("no network")
    told = {cut: "cannot be read as HDF5", other: "holds another network", text: r"ends in \.txt; expected"}
    for path, words in told.items():
        with pytest.raises(ValueError, match=words):
            add_backbone(path, "odd")
    missing = {name: values for name, values in random_arrays().items() if name != "layer2_pointwise_conv_norm"}
    with pytest.raises(ValueError, match="has no layer2/pointwise_conv/bn/beta:0"):
        add_backbone(write_h5(folder / "missing.h5", missing), "odd")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        add_backbone(folder / "nothing.h5")


def test_an_unknown_file_needs_a_name_and_keeps_what_is_said_of_it(folder, capsys):
    path = write_h5(folder / "mine.h5", random_arrays())
    assert earproof.main(["backbone", "add", str(path)]) == 2
    assert "is none of the known files, yamnet_256, yamnet_1024; give it a name" in capsys.readouterr().err
    words = ["backbone", "add", str(path), "--name", "mine", "--licence", "MIT", "--log-offset", "0.0001"]
    assert earproof.main(words) == 0
    out, err = capsys.readouterr()
    assert "earproof train transfer DATA --backbone mine" in out
    assert "licence MIT, source not said" in err
    assert "128 features of embedding, from mel at 16000 Hz, 0.975 s at once, log offset 0.0001" in err
    found = find_backbone("mine")
    assert (found.licence, found.log_offset) == ("MIT", 1e-4)
    assert found.weights().num_blocks == NUM_BLOCKS
    assert earproof.main(["backbone", "list"]) == 0
    assert "mine: MIT; source not said" in capsys.readouterr().out


def test_a_file_of_a_known_size_with_another_content_is_told(folder, monkeypatch, capsys):
    path = write_h5(folder / "mine.h5", random_arrays())
    monkeypatch.setattr(known, "KNOWN", (replace(known.KNOWN[0], num_bytes=path.stat().st_size),))
    assert earproof.main(["backbone", "add", str(path)]) == 2
    told = f"expected {known.KNOWN[0].sha256}; was it damaged on its way here?"
    assert f"{told} Fetch it again, or give it a name: --name NAME" in capsys.readouterr().err
    assert earproof.main(["backbone", "add", str(path), "--name", "mine"]) == 0
    assert told in capsys.readouterr().err


def test_a_cut_tflite_file_is_told_once(folder):
    path = folder / "cut.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3" + bytes(16))
    with pytest.raises(ValueError, match="the model is damaged") as error:
        add_backbone(path, "cut")
    assert str(error.value).count("the model is damaged") == 1


def test_names_belong_to_one_file(folder):
    first, second = (write_h5(folder / f"{seed}.h5", random_arrays(seed=seed)) for seed in (0, 1))
    add_backbone(first, "mine")
    with pytest.raises(ValueError, match="there is another backbone mine"):
        add_backbone(second, "mine")
    added = add_backbone(second, "mine", force=True)
    assert find_backbone("mine") == added
    with pytest.raises(ValueError, match="yamnet_256 is the name of another file"):
        add_backbone(first, "yamnet_256", force=True)
    with pytest.raises(ValueError, match="cannot be a backbone's name"):
        add_backbone(first, "../mine")
    with pytest.raises(ValueError, match="such as 'a_b c'"):
        add_backbone(first, "a/b c")


def test_a_file_that_was_changed_or_is_gone_is_told(folder):
    added = add_backbone(write_h5(folder / "mine.h5", random_arrays()), "mine")
    added.path.write_bytes(b"something else")
    with pytest.raises(ValueError, match="was changed since it was added"):
        added.weights()
    added.path.unlink()
    with pytest.raises(FileNotFoundError, match="is gone; add the file of mine again"):
        added.weights()


@pytest.mark.parametrize(
    ("name", "told"),
    [("yamnet_256", "earproof backbone get yamnet_256 downloads it"), ("yamnet_265", "did you mean yamnet_256")],
)
def test_a_backbone_that_is_not_there_is_told_with_the_way_to_it(folder, name, told):
    with pytest.raises(ValueError, match=told):
        find_backbone(name)


def test_a_path_in_place_of_a_name_is_told(folder):
    path = write_h5(folder / "mine.h5", random_arrays())
    with pytest.raises(ValueError, match=f"{path} is a path: earproof backbone add {path} --name NAME gives it one"):
        find_backbone(str(path))


class Server:
    """Files on loopback; what was asked for is kept."""

    def __init__(self, content: bytes, ranges: bool = True, stop_after: int | None = None) -> None:
        self.asked: list[str | None] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked = self.headers["Range"]
                server.asked.append(asked)
                start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and ranges else 0
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                stop = len(content) if server.stop_after is None else server.stop_after
                self.wfile.write(content[start:stop])

            def log_message(self, *_):
                return

        self.stop_after = stop_after
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/yamnet_256_f32.h5"


@pytest.fixture
def serve(folder, monkeypatch):
    """Offer a small file as yamnet_256 on loopback."""
    content = write_h5(folder / "served.h5", random_arrays()).read_bytes()
    servers = []

    def start(**settings):
        servers.append(Server(content, **settings))
        offered = replace(
            known.KNOWN[0],
            address=servers[-1].address,
            num_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        for module in (known, installed):
            monkeypatch.setattr(module, "KNOWN", (offered,))
        return servers[-1]

    yield start
    for one in servers:
        one.http.shutdown()


def test_a_known_backbone_is_fetched_checked_and_taken(serve, folder, capsys):
    server = serve()
    assert earproof.main(["backbone", "get", "yamnet_256"]) == 0
    assert server.asked == [None]
    assert find_backbone("yamnet_256").licence == "Apache-2.0"
    assert {path.suffix for path in (folder / "backbones").iterdir()} == {".h5", ".json"}
    assert len(list((folder / "backbones").iterdir())) == 2
    assert earproof.main(["backbone", "get", "yamnet_256"]) == 0
    assert "is on this machine already" in capsys.readouterr().err
    assert server.asked == [None]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_broke_off_goes_on_where_it_stopped(serve, folder, capsys, ranges):
    server = serve(ranges=ranges, stop_after=3000)
    assert earproof.main(["backbone", "get", "yamnet_256"]) == 2
    assert "broke off after 3,000 of" in capsys.readouterr().err
    assert (folder / "backbones" / "yamnet_256_f32.h5.part").stat().st_size == 3000
    server.stop_after = None
    assert earproof.main(["backbone", "get", "yamnet_256"]) == 0
    assert server.asked == [None, "bytes=3000-"]
    assert find_backbone("yamnet_256").weights().num_blocks == NUM_BLOCKS


def test_a_file_with_another_digest_is_thrown_away(serve, folder, monkeypatch, capsys):
    serve()
    for module in (known, installed):
        monkeypatch.setattr(module, "KNOWN", (replace(known.KNOWN[0], sha256="0" * 64),))
    assert earproof.main(["backbone", "get", "yamnet_256"]) == 2
    assert "expected 0000" in capsys.readouterr().err
    assert list((folder / "backbones").iterdir()) == []


def test_without_a_connection_it_is_said_what_to_fetch_and_where_to_put_it(serve, capsys):
    server = serve()
    server.http.shutdown()
    server.http.server_close()
    assert earproof.main(["backbone", "get", "yamnet_256"]) == 2
    told = capsys.readouterr().err
    assert f"{server.address} cannot be reached" in told
    assert "earproof backbone add yamnet_256_f32.h5" in told


def test_list_as_json_has_what_is_here_and_what_can_be_had(folder, capsys):
    add_backbone(write_h5(folder / "mine.h5", random_arrays()), "mine")
    assert earproof.main(["backbone", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found["here"]] == ["mine"]
    assert [one["name"] for one in found["to_get"]] == ["yamnet_256", "yamnet_1024"]
