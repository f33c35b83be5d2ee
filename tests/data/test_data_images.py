"""Pictures as data: files, folders by class, arrays and tables, with pictures drawn here."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glassnet import DataError
from glassnet.data import (
    ArrayPreparation,
    PictureOptions,
    file_fingerprint,
    image_batches,
    image_folder,
    images,
    is_image_source,
    pixels,
    preparation_from_dict,
    read_described,
    read_image,
    read_samples,
)
from glassnet.data.image_files import look_at_image
from glassnet.data.picture_arrays import picture_layout


def draw(place, values, **more):
    place = Path(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(place, **more)
    return place


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pets(here):
    """Two classes of grey 4×3 pictures, each of one brightness: cats 10, 20, 30, dogs 200, 210."""
    for k in (1, 2, 3):
        draw(f"pets/cat/{k}.png", np.full((4, 3), 10 * k))
    for k in (0, 1):
        draw(f"pets/dog/{k}.png", np.full((4, 3), 200 + 10 * k))
    return Path("pets")


def says(call, sentence):
    with pytest.raises(DataError) as caught:
        call()
    assert str(caught.value) == sentence


# One picture.


def test_grey_and_colour_as_they_are(here):
    grey, colour = np.arange(6).reshape(2, 3), np.arange(18).reshape(2, 3, 3)
    draw("grey.png", grey)
    draw("colour.png", colour)
    assert read_image("grey.png").tolist() == grey.tolist()
    assert read_image("colour.png").tolist() == colour.tolist()
    look = look_at_image("colour.png")
    assert (look.height, look.width, look.channels) == (2, 3, 3)
    assert read_image("grey.png", channels=3).tolist() == np.stack([grey] * 3, -1).tolist()
    # 0.299·100 + 0.587·50 + 0.114·200 = 82.05
    draw("one.png", np.full((2, 2, 3), (100, 50, 200)))
    assert read_image("one.png", channels=1).tolist() == [[82, 82], [82, 82]]
    assert is_image_source("a/B.JPEG")
    assert not is_image_source("a.png.csv")


def test_every_kind_of_file(here):
    Image.new("RGBA", (2, 1), (255, 0, 0, 0)).save("clear.png")  # wholly transparent: white
    assert read_image("clear.png").tolist() == [[[255] * 3] * 2]
    Image.new("LA", (1, 1), (0, 51)).save("half.png")  # black at 51/255 = 1/5 on white: 204
    assert read_image("half.png").tolist() == [[204]]
    Image.new("1", (2, 1), 1).save("bits.png")
    assert read_image("bits.png").tolist() == [[255, 255]]
    Image.fromarray(np.array([[0, 65535, 257 * 100]], np.uint16)).save("deep.png")
    assert read_image("deep.png").tolist() == [[0, 255, 100]]
    Image.new("CMYK", (8, 8), (0, 0, 0, 0)).save("print.jpg")
    assert read_image("print.jpg").min() == 255
    palette = Image.new("P", (1, 1), 0)
    palette.putpalette([9, 8, 7])
    palette.save("palette.gif")
    assert read_image("palette.gif").tolist() == [[[9, 8, 7]]]
    grey = Image.new("P", (1, 1), 0)
    grey.putpalette([9, 9, 9])
    grey.save("grey.png")
    assert read_image("grey.png").tolist() == [[9]]
    for ending in ("bmp", "webp", "tif", "jpg"):
        draw(f"flat.{ending}", np.full((8, 8), 128))
        assert abs(read_image(f"flat.{ending}", channels=1).astype(int) - 128).max() <= 1


def test_a_camera_held_upright(here):
    """Orientation 6: the picture is stored lying on its side, a quarter turn clockwise shows it."""
    stored = np.arange(6).reshape(2, 3) * 40
    tags = Image.Exif()
    tags[0x0112] = 6
    draw("held.png", stored, exif=tags)
    assert read_image("held.png").tolist() == np.rot90(stored, -1).tolist()
    assert (look_at_image("held.png").height, look_at_image("held.png").width) == (3, 2)


def test_sizes(here):
    draw("wide.png", np.repeat([[0, 0, 200, 200]], 2, axis=0))
    assert read_image("wide.png", size=2).shape == (2, 2)
    assert read_image("wide.png", size=(3, 5)).shape == (3, 5)
    assert read_image("wide.png", size=2, fit="crop").shape == (2, 2)
    padded = read_image("wide.png", size=4, fit="pad")
    assert padded[0].tolist() == padded[3].tolist() == [0, 0, 0, 0]  # black above and below
    halves = np.repeat(np.repeat([[0, 100], [200, 60]], 8, axis=0), 8, axis=1)
    draw("halves.png", halves)
    assert read_image("halves.png", size=16).tolist() == halves.tolist()
    flat = draw("flat.jpg", np.full((400, 640, 3), 77))
    assert abs(read_image(flat, size=10).astype(int) - 77).max() <= 1


def test_a_picture_that_cannot_be_read(here):
    whole = draw("whole.png", np.random.default_rng(0).integers(0, 256, (40, 40))).read_bytes()
    Path("cut.png").write_bytes(whole[: len(whole) // 2])
    Path("text.png").write_text("no picture")
    Path("empty.png").touch()
    says(
        lambda: read_image("text.png"),
        "'text.png' is not a picture that can be read (PNG, JPEG, BMP, GIF, WebP or TIFF); save it as PNG.",
    )
    says(lambda: read_image("whole.pgn"), "There is no file 'whole.pgn'; did you mean 'whole.png'?")
    with pytest.raises(DataError, match=r"^'cut.png' is a damaged picture \(.*\); copy or save it again\.$"):
        read_image("cut.png")
    with pytest.raises(DataError, match=r"^'empty.png' is empty"):
        read_image("empty.png")
    says(
        lambda: read_image("whole.png", size=0),
        "size=0 cannot be used; pass one whole number of pixels, or (height, width).",
    )
    says(
        lambda: read_image("whole.png", channels=2),
        'channels=2 cannot be used; pass 1 for grey, 3 for colour, or "auto".',
    )
    says(
        lambda: read_image("whole.png", fit="crp"),
        "There is no fit 'crp'; did you mean 'crop'? Known: stretch, crop, pad.",
    )


# A folder.


def test_a_folder_by_class(pets):
    found = image_folder(pets)
    assert found.X.shape == (5, 1, 4, 3)
    assert found.X.dtype == np.float32
    np.testing.assert_allclose(found.X[:, 0, 0, 0] * 255, [10, 20, 30, 200, 210], rtol=1e-6)
    assert found.labels.tolist() == ["cat"] * 3 + ["dog"] * 2
    assert found.classes == ["cat", "dog"]
    assert found.files == ["cat/1.png", "cat/2.png", "cat/3.png", "dog/0.png", "dog/1.png"]
    assert (found.skipped, found.notes, found.test) == ([], [], None)
    assert repr(found) == "5 pictures of 1 × 4 × 3, classes cat, dog"
    bytes_ = image_folder(pets, 2, channels=3, scaling="bytes")
    assert bytes_.X.dtype == np.uint8
    assert bytes_.X.shape == (5, 3, 2, 2)
    assert bytes_.X[3].tolist() == np.full((3, 2, 2), 200).tolist()
    standard = image_folder(pets, scaling="standard", dtype="float64").X
    assert standard.mean() == pytest.approx(0, abs=1e-12)
    assert standard.std() == pytest.approx(1)


def test_train_and_test(pets):
    draw("pets2/train/cat/a.png", np.full((2, 2), 0))
    draw("pets2/train/dog/a.png", np.full((2, 2), 255))
    draw("pets2/test/dog/b.png", np.full((2, 2), 51))
    draw("pets2/valid/dog/b.png", np.full((2, 2), 102))
    found = image_folder("pets2")
    assert found.labels.tolist() == ["cat", "dog"]
    assert found.test is not None
    assert found.test.labels.tolist() == ["dog"]
    assert found.test.X.tolist() == np.full((1, 1, 2, 2), np.float32(0.2)).tolist()
    # standardised with the moments of the training pictures: mean ½, standard deviation ½
    standard = image_folder("pets2", scaling="standard")
    assert standard.test is not None
    np.testing.assert_allclose(standard.test.X, (0.2 - 0.5) / 0.5, rtol=1e-6)
    assert repr(found) == "2 pictures of 1 × 2 × 2, classes cat, dog, and 1 to test on"
    draw("pets2/test/fox/b.png", np.full((2, 2), 51))
    says(
        lambda: image_folder("pets2"),
        "'pets2/test' holds the class 'fox', which 'pets2/train' does not; each class to be tested on needs pictures to "
        "train on.",
    )


def test_what_else_lies_in_a_folder(pets):
    (pets / "readme.txt").write_text("mine")
    (pets / ".hidden").mkdir()
    (pets / "cat" / ".DS_Store").touch()
    (pets / "cat" / "Thumbs.db").touch()
    (pets / "dog" / "list.csv").write_text("a")
    draw(pets / "dog" / "deep" / "er.png", np.full((4, 3), 5))
    found = image_folder(pets)
    assert found.files[-1] == "dog/deep/er.png"
    assert found.notes == [
        "1 file beside the class folders of 'pets' is left out (readme.txt).",
        "1 file in 'pets' is no picture and left out (list.csv).",
    ]


def test_damaged_pictures(pets):
    (pets / "cat" / "0.png").write_text("broken")
    (pets / "dog" / "9.png").write_bytes((pets / "dog" / "1.png").read_bytes()[:50])
    with pytest.raises(DataError) as caught:
        image_folder(pets)
    assert str(caught.value) == (
        "'pets/cat/0.png' is not a picture that can be read (PNG, JPEG, BMP, GIF, WebP or TIFF); save it as PNG, or leave it "
        'out with damaged="skip" (command line: --skip-damaged).'
    )
    found = image_folder(pets, damaged="skip")
    assert len(found) == len(found.files) == len(found.labels) == 5
    assert found.skipped == ["cat/0.png", "dog/9.png"]
    assert found.notes == ["2 damaged pictures are left out (cat/0.png, dog/9.png)."]
    np.testing.assert_allclose(found.X[:, 0, 0, 0] * 255, [10, 20, 30, 200, 210], rtol=1e-6)
    for name in ("0.png", "1.png"):
        (pets / "dog" / name).write_text("broken")
    says(
        lambda: image_folder(pets, damaged="skip"),
        "Every picture of the class 'dog' in 'pets' is damaged; copy or save them again.",
    )


def test_folders_that_cannot_be_used(pets, here):
    says(lambda: image_folder("pest"), "There is no folder 'pest'; did you mean 'pets'?")
    says(
        lambda: image_folder("pets/cat/1.png"),
        "'pets/cat/1.png' is a file; name a folder with one subfolder of pictures for each class.",
    )
    says(
        lambda: image_folder("pets/cat"),
        "'pets/cat' holds pictures but no subfolders; it needs one subfolder of pictures for each class, as in "
        "pets/cat/CLASS/1.png.",
    )
    draw("one/cat/1.png", np.zeros((2, 2)))
    says(
        lambda: image_folder("one"),
        "'one' holds one class only, 'cat'; a classifier needs two or more, one subfolder each.",
    )
    (here / "one" / "dog").mkdir()
    says(
        lambda: image_folder("one"),
        "The class 'dog' of 'one' holds no pictures; put PNG or JPEG files there, or remove the folder.",
    )
    draw("pets/dog/large.png", np.zeros((5, 5)))
    says(
        lambda: image_folder("pets"),
        "'pets' holds pictures of 2 sizes ('cat/1.png' is 4×3, 'dog/large.png' 5×5, height × width): pass size=(height, "
        "width) (command line: --image-size), to which all are resized.",
    )
    draw("pets/dog/large.png", np.zeros((4, 3, 3)))
    says(
        lambda: image_folder("pets"),
        "'pets' holds 5 grey and 1 colour pictures ('cat/1.png' is grey, 'dog/large.png' is in colour): pass channels=1 "
        "(command line: --grey) or channels=3 (command line: --colour).",
    )
    assert image_folder("pets", channels=1).X.shape == (6, 1, 4, 3)
    draw("pets/dog/large.png", np.zeros((5, 5, 3)))
    with pytest.raises(DataError, match=r"2 sizes .*; and 5 grey and 1 colour"):
        image_folder("pets")
    assert image_folder("pets", (2, 2), channels=3).X.shape == (6, 3, 2, 2)
    says(
        lambda: image_folder("pets", scaling="unti"),
        "There is no scaling 'unti'; did you mean 'unit'? Known: unit, standard, bytes.",
    )
    with pytest.raises(DataError, match=r"^There is no way with damaged pictures 'skp'; did you mean 'skip'\?"):
        image_folder("pets", damaged="skp")


def test_batches_are_the_folder_in_parts(pets):
    whole = image_folder(pets)
    parts = list(image_batches(pets, 2))
    assert [len(X) for X, _ in parts] == [2, 2, 1]
    assert np.array_equal(np.concatenate([X for X, _ in parts]), whole.X)
    assert np.concatenate([y for _, y in parts]).tolist() == whole.labels.tolist()
    shuffled = [y.tolist() for _, y in image_batches(pets, 5, seed=1)]
    assert sorted(shuffled[0]) == sorted(whole.labels.tolist())
    assert shuffled == [y.tolist() for _, y in image_batches(pets, 5, seed=1)]
    (pets / "cat" / "0.png").write_text("broken")
    assert [len(X) for X, _ in image_batches(pets, 1, damaged="skip")] == [1] * 5
    with pytest.raises(DataError, match="batch_size=0 cannot be used"):
        image_batches(pets, 0)
    with pytest.raises(DataError, match="is not a picture"):
        image_batches(pets)


def test_a_folder_larger_than_memory_is_read_batch_by_batch(pets, monkeypatch):
    """No batch opens more pictures than its own."""
    from glassnet.data import image_folder as module_of

    opened = []
    module = __import__("sys").modules[module_of.__module__]
    before = module.read_image
    monkeypatch.setattr(module, "read_image", lambda path, **more: opened.append(path) or before(path, **more))
    stream = image_batches(pets, 2, size=2, channels=1)
    assert opened == []
    next(stream)
    assert len(opened) == 2


def test_the_fingerprint_of_a_folder(pets):
    first = file_fingerprint(pets)
    assert first["size"] == sum(file.stat().st_size for file in pets.rglob("*.png"))
    (pets / "notes.txt").write_text("mine")
    assert file_fingerprint(pets) == first
    (pets / "cat" / "1.png").rename(pets / "cat" / "7.png")
    assert file_fingerprint(pets)["sha256"] != first["sha256"]


# Arrays and tables.


def test_arrays_of_pictures(here):
    grey = np.arange(60).reshape(2, 5, 6).astype(np.uint8)
    assert images(grey).shape == (2, 1, 5, 6)
    np.testing.assert_allclose(images(grey, dtype="float64")[:, 0], grey / 255)
    colour = np.arange(180).reshape(2, 5, 6, 3).astype(np.uint8)
    assert np.array_equal(images(colour, scaling="bytes"), np.moveaxis(colour, -1, 1))
    first = np.moveaxis(colour, -1, 1)
    assert np.array_equal(images(first, scaling="bytes"), first)
    assert images(colour, channels=1).shape == (2, 1, 5, 6)
    # 0.299·0 + 0.587·1 + 0.114·2 = 0.815, as a byte 1
    assert images(colour, channels=1, scaling="bytes")[0, 0, 0, 0] == 1
    assert images(grey, channels=3, scaling="bytes")[1, :, 0, 0].tolist() == [30, 30, 30]
    assert images(grey.astype(float), size=(7, 8)).shape == (2, 1, 7, 8)
    np.save("x.npy", grey)
    assert np.array_equal(images("x.npy"), images(grey))
    assert images(grey / 100)[0, 0, 0, 1] == np.float32(0.01)
    says(
        lambda: images(np.zeros((2, 5))),
        "An array of shape (2, 5) holds no pictures; it needs (samples, height, width), (samples, height, width, channels) "
        "or (samples, channels, height, width).",
    )
    says(lambda: images(np.array([[["a"]]])), "An array of type <U1 holds no pictures; it needs numbers.")
    says(
        lambda: images(np.full((1, 2, 2), np.nan)),
        "Picture 1 holds NaN or infinity; a network needs finite numbers: correct it.",
    )
    says(
        lambda: picture_layout((3, 5, 4)),
        "Samples of shape (3, 5, 4) can have their channels first or last; pass the layout, 'first' or 'last'.",
    )
    assert picture_layout((3, 5, 4), "first") == ("first", (3, 5, 4))
    assert picture_layout((3, 5, 4), "last") == ("last", (4, 3, 5))
    says(
        lambda: images(np.zeros((2, 2, 5, 5)), channels=3),
        "The pictures have 2 channels and channels=3 was asked for; only grey (1) and colour (3) can be made of each other.",
    )


def test_resizing_an_array_is_resizing_its_pictures(here):
    values = np.random.default_rng(1).integers(0, 256, (1, 12, 8, 3)).astype(np.uint8)
    draw("a.png", values[0])
    found = images(values, size=(6, 5), scaling="bytes")
    assert np.array_equal(found[0], np.moveaxis(read_image("a.png", size=(6, 5)), -1, 0))
    close = images(values.astype(float), size=(6, 5), scaling="bytes")
    assert abs(close - found).max() <= 1  # the same filter, without rounding between the two directions


def test_pixels_of_a_table():
    import pyarrow as pa

    names = [f"pixel_{r}_{c}" for r in range(2) for c in range(3)]
    table = pa.table({**{name: [k, 10 * k] for k, name in enumerate(names)}, "digit": [4, 5]})
    assert pixels(table, "digit").tolist() == [[[0, 1, 2], [3, 4, 5]], [[0, 10, 20], [30, 40, 50]]]
    assert pixels(table, "digit", (1, 3, 2)).shape == (2, 1, 3, 2)
    plain = table.rename_columns([*"abcdef", "digit"])
    says(
        lambda: pixels(plain, "digit"),
        "Whether the 6 columns are pixels, and of what shape, their names do not say; begin --network with the shape, "
        "channels×height×width, as in '1×28×28 → conv 8x5 relu → ...'.",
    )
    says(
        lambda: pixels(table, "digit", (1, 3, 3)),
        "The table has 6 columns beside the target, and a picture of 1×3×3 has 9 pixels; state the shape of its pictures, or "
        "leave other columns out of the table.",
    )
    gaps = table.set_column(0, "pixel_0_0", pa.array([None, 1]))
    says(
        lambda: pixels(gaps, "digit"),
        "Column 'pixel_0_0' has gaps and cannot be a pixel; each column needs a number in every row.",
    )


# The preparation of a network of images.


def test_the_preparation_of_pictures(pets):
    found = read_samples("pets", fewest=2)
    prep = ArrayPreparation.fit(found.X, found.labels, pictures=True, fitting="stretch", dtype="float32")
    assert prep.input_shape == (1, 4, 3)
    assert (prep.layout, prep.classes) == ("first", ["cat", "dog"])
    X = prep.transform(found.X)
    assert X.shape == (5, 1, 4, 3)
    assert np.array_equal(X, image_folder(pets).X)
    assert np.array_equal(prep.transform(found.X.reshape(5, 12)), X)
    again = preparation_from_dict(json.loads(json.dumps(prep.to_dict())))
    assert again == prep
    assert prep.describe() == "pictures, grey, 4 × 3, resized (stretch), each value (value − 0) / 255"
    # a new picture of another size, in colour
    draw("new.png", np.full((9, 9, 3), 51))
    np.testing.assert_allclose(again.transform(again.read("new.png")), np.full((1, 1, 4, 3), 0.2), rtol=1e-6)
    np.testing.assert_allclose(again.transform(again.read("pets")), X)


def test_channels_last_become_first():
    X = np.random.default_rng(0).integers(0, 256, (3, 5, 6, 3)).astype(np.uint8)
    prep = ArrayPreparation.fit(X, [0, 1, 0], pictures=True)
    assert prep.input_shape == (3, 5, 6)
    assert prep.notes[-2] == "Each sample is a picture, 3 channels, 5 × 6."
    assert np.array_equal(prep.transform(X), np.moveaxis(X, -1, 1) / 255)


def test_pictures_for_a_network_of_rows(here):
    """A network trained on bytes (m, h, w, 3) in rows takes a picture's file in the same order."""
    X = np.random.default_rng(0).integers(0, 256, (3, 5, 6, 3)).astype(np.uint8)
    prep = ArrayPreparation.fit(X, [0, 1, 0])
    draw("a.png", X[1])
    assert np.array_equal(prep.transform(prep.read("a.png")), prep.transform(X[1:2]))
    floats = ArrayPreparation.fit(X / 255, [0, 1, 0])
    np.testing.assert_allclose(floats.transform(floats.read("a.png")), floats.transform(X[1:2] / 255), rtol=1e-15)
    other = ArrayPreparation.fit(X * 3.0 - 5, [0, 1, 0])
    says(
        lambda: other.read("a.png"),
        "The network was trained on samples of 5 × 6 × 3 numbers that are not those of a picture's file; pass them as an "
        "array file.",
    )


def test_a_description_from_before_pictures_still_reads():
    prep = ArrayPreparation.fit(np.zeros((2, 2, 2), np.uint8), [0, 1])
    described = prep.to_dict()
    del described["layout"], described["fitting"]
    assert preparation_from_dict(described) == prep


def test_a_source_read_as_it_was_described(pets):
    found = read_samples("pets", options=PictureOptions(size=2, channels=3))
    assert found.notes == ["Pictures of another size are resized to 2×2 (stretched where their shape is another)."]
    described = json.loads(json.dumps({"data": "pets", "target": None, "pictures": found.options.to_dict()}))
    X, y = read_described(described)
    assert np.array_equal(X, found.X)
    assert y.tolist() == ["cat"] * 3 + ["dog"] * 2
    np.save("x.npy", np.arange(32).reshape(2, 16))
    np.save("y.npy", [0, 1])
    X, y = read_described({"data": "x.npy", "target": "y.npy", "pixels": [1, 4, 4]})
    assert X.shape == (2, 1, 4, 4)
    Path("t.csv").write_text("a,b,c,d,y\n1,2,3,4,no\n5,6,7,8,yes\n")
    X, y = read_described({"data": "t.csv", "target": "y", "pixels": [1, 2, 2], "delimiter": None, "header": "auto"})
    assert X[1, 0].tolist() == [[5, 6], [7, 8]]
    assert y.tolist() == ["no", "yes"]


def test_samples_that_cannot_be_read(pets):
    says(
        lambda: read_samples("pets", "y.npy"),
        "'pets' is a folder of pictures, labelled by its subfolders; leave the target 'y.npy' out, or name one file in it.",
    )
    says(
        lambda: read_samples("pets/cat/1.png"),
        "'pets/cat/1.png' is one picture without a label; pass a folder with one subfolder for each class.",
    )
    np.save("x.npy", np.zeros((3, 2, 2)))
    says(lambda: read_samples("x.npy"), "The labels of 'x.npy' are missing; name the array file that holds them.")
    Path("nothing").mkdir()
    says(lambda: read_samples("nothing", labelled=False), "'nothing' holds no pictures; it needs PNG or JPEG files.")
    assert re.match(r"'nothing' holds no pictures; it needs one subfolder", _sentence(lambda: image_folder("nothing")))


def _sentence(call):
    with pytest.raises(DataError) as caught:
        call()
    return str(caught.value)
