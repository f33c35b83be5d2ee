"""Reading tables: by hand, round trips, and every sentence a bad file is answered with."""

import csv
import gzip
import io
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glassnet.data import csv_files, find_column, read_table
from glassnet.errors import DataError, GlassnetWarning


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Write text to a file and read it as a table, as a dict of columns."""
    monkeypatch.chdir(tmp_path)

    def write_and_read(content, name="f.csv", **settings):
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
        return read_table(name, **settings).to_pydict()

    return write_and_read


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a,b\n1,2\n3,4\n", {"a": [1, 3], "b": [2, 4]}),
        ("a;b\n1;2\n", {"a": [1], "b": [2]}),
        ("a\tb c\n1\t2\n", {"a": [1], "b c": [2]}),
        ("a|b\n1|x\n", {"a": [1], "b": ["x"]}),
        ("a b  c\n1   2\t3\n  4 5 6  \n\n7 8 9", {"a": [1, 4, 7], "b": [2, 5, 8], "c": [3, 6, 9]}),
        ('n x\n"a b" 1\n"c  d" 2\n', {"n": ["a b", "c  d"], "x": [1, 2]}),
        ("a;b\n1,5;2\n3,25;4\n", {"a": [1.5, 3.25], "b": [2, 4]}),
        ("1,5 2\n2,5 3\n", {"column1": [1.5, 2.5], "column2": [2, 3]}),
        ("1,5;2,5\n3,25;4,5\n", {"column1": [1.5, 3.25], "column2": [2.5, 4.5]}),
        ("1,2\n3,4\n", {"column1": [1, 3], "column2": [2, 4]}),
        ("5.1,setosa\n4.9,virginica\n", {"column1": [5.1, 4.9], "column2": ["setosa", "virginica"]}),
        ("red,green\nblue,red\n", {"red": ["blue"], "green": ["red"]}),
        ("\ufeffa,b\r\n1,2\r\n", {"a": [1], "b": [2]}),
        ('"",X1,Y\n"1",2,0\n"2",NA,1\n', {"column1": [1, 2], "X1": [2, None], "Y": [0, 1]}),
        (" a, b , c\n 1, NA , x\n2, 3, y\n", {"a": [1, 2], "b": [None, 3], "c": ["x", "y"]}),
        ('a,b\n1,"x,y"\n2,"p\nq"\n3,"say ""hi"""\n', {"a": [1, 2, 3], "b": ["x,y", "p\nq", 'say "hi"']}),
        ("n;t\n1;hello, world\n2;no, thanks\n", {"n": [1, 2], "t": ["hello, world", "no, thanks"]}),
        ("x\n1\n2\n", {"x": [1, 2]}),
        ("\n\na,b\n1,2\n", {"a": [1], "b": [2]}),
        ('wt mpg\n"Mazda RX4" 2.6 21\n"Datsun" 2.3 22\n', {"column1": ["Mazda RX4", "Datsun"], "wt": [2.6, 2.3], "mpg": [21, 22]}),  # noqa: E501
        ('wt,mpg\n"1",2.6,21\n"2",2.3,22\n', {"column1": [1, 2], "wt": [2.6, 2.3], "mpg": [21, 22]}),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:The first line of:glassnet.errors.GlassnetWarning")
def test_text_tables_by_hand(read, text, columns):
    assert read(text) == columns


def test_settings(read):
    assert read("a,b\n1,2\n", header=False) == {"column1": ["a", "1"], "column2": ["b", "2"]}
    assert read("1,2\n3,4\n", header=True) == {"1": [3], "2": [4]}
    assert read("a b;c\n1 2;3\n", delimiter=";") == {"a b": ["1 2"], "c": [3]}
    assert read("a,b\n-9,2\n3,4\n", missing=("-9",)) == {"a": [None, 3], "b": [2, 4]}
    assert read("code,x\n007,1\n 010,2\n", text=["code"]) == {"code": ["007", "010"], "x": [1, 2]}
    assert read("a,column1,\n1,2,3\n") == {"a": [1], "column1": [2], "column3": [3]}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("0,1,2\n0.5,0.25,1.5\n0.1,0.2,0.3\n", ["0", "1", "2"]),
        ("1,2\n0.5,0.25\n", ["1", "2"]),
        ("1,2,3\n5,5,5\n", ["1", "2", "3"]),
        (",0,1\n0,0.5,0.5\n1,0.5,0.5\n", ["column1", "0", "1"]),
    ],
)
def test_column_numbers_are_a_header(read, text, names):
    assert list(read(text)) == names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0,1\n1,0\n1,1\n", "the columns are column1, column2; pass header=True (command line: --header) if it names the columns."),  # noqa: E501
        ("1,2,3\n4,5,6\n", "the columns are column1, ..., column3; pass header=True (command line: --header) if it names the columns."),  # noqa: E501
        ("5\n6\n", "the column is column1; pass header=True (command line: --header) if it names the column."),
    ],
)  # fmt: skip
def test_values_in_the_first_line_are_said_once(read, text, said):
    with pytest.warns(GlassnetWarning) as caught:
        read(text)
    assert [str(one.message) for one in caught] == [f"The first line of 'f.csv' is taken as values, so {said}"]
    read(text, header=False)
    read(text, header=True)


def test_blanks_before_quotes(read, monkeypatch):
    assert read('a, b\n1, "x"\n2, "y"\n') == {"a": [1, 2], "b": ["x", "y"]}
    assert read('a, b, c\n1, "x, ""y\nz""", "3"\n2, , 4\n') == {"a": [1, 2], "b": ['x, "y\nz"', None], "c": [3, 4]}
    assert read('a;b\n1;  "x;y"\n2; z\n') == {"a": [1, 2], "b": ["x;y", "z"]}
    with pytest.raises(DataError, match=r"^'f.csv' line 3 has 3 values where the header has 2"):
        read('a, b\n1, "x"\n2, 3, 4\n')
    monkeypatch.setattr(csv_files, "SAMPLE", 64)
    assert read("a, b\n" + "1, x\n" * 50 + '2, "y"\n')["b"][-1] == "y"
    assert read("a, b\n" + "1, x\n" * 50 + '2, "y, z"\n')["b"][-1] == "y, z"


def test_gzip(read):
    assert read(gzip.compress(b"a,b\n1,2\n"), "f.csv.gz") == {"a": [1], "b": [2]}
    assert read(gzip.compress(b"a b\n1  2\n"), "f.txt.gz") == {"a": [1], "b": [2]}


def test_types_of_the_first_rows_are_widened_when_later_rows_need_it(read, monkeypatch):
    monkeypatch.setattr(csv_files, "SAMPLE", 64)
    rows = ["i,f,s,d,q"] + ["1,0.5,x,2024-01-01,5"] * 50 + ['2.5,text,y,never,"6"', '3,1.5,"a\nb",,7']
    table = read("\n".join(rows) + "\n")
    assert table["i"][-2:] == [2.5, 3.0]
    assert table["f"][0] == "0.5"
    assert table["f"][-2:] == ["text", "1.5"]
    assert table["s"][-2:] == ["y", "a\nb"]
    assert table["d"][-2:] == ["never", None]
    assert table["q"] == [5] * 50 + [6, 7]


def test_blanks_over_several_chunks(read):
    rows = [f" {i}   {i * 2}\t\t{i / 4} " for i in range(60_000)]
    table = read("a  b  c\r\n" + "\r\n".join(rows))
    assert table["a"] == list(range(60_000))
    assert table["c"][-1] == 59_999 / 4


def test_objects():
    pd = pytest.importorskip("pandas")
    pl = pytest.importorskip("polars")
    wanted = {"a": [1.0, None], "s": ["u", "v"]}
    assert read_table(pd.DataFrame({"a": [1.0, None], "s": ["u", "v"]})).to_pydict() == wanted
    assert read_table(pl.DataFrame({"a": [1.0, None], "s": ["u", "v"]})).to_pydict() == wanted
    assert read_table(pl.LazyFrame({"a": [1]})).to_pydict() == {"a": [1]}
    assert read_table(pd.Series([1, 2], name="q")).to_pydict() == {"q": [1, 2]}
    assert read_table(pl.Series("q", [1])).to_pydict() == {"q": [1]}
    assert read_table({"a": [1], 2: np.array(["x"])}).to_pydict() == {"a": [1], "2": ["x"]}
    assert read_table(pa.table({" a ": [1], "": [2]})).to_pydict() == {"a": [1], "column2": [2]}
    assert read_table(np.array([[1, 2], [3, 4]])).to_pydict() == {"x1": [1, 3], "x2": [2, 4]}
    assert read_table(np.array([1.5, 2.5])).to_pydict() == {"x1": [1.5, 2.5]}
    assert read_table(np.array([["a", 1]], dtype=object)).to_pydict() == {"x1": ["a"], "x2": [1]}


def test_parquet_and_npy_files(tmp_path):
    table = pa.table({"a": [1, None], "s": ["x", "y"]})
    pq.write_table(table, tmp_path / "t.parquet")
    pq.write_table(table, tmp_path / "t.data")
    np.save(tmp_path / "t.npy", np.eye(2))
    assert read_table(tmp_path / "t.parquet").equals(table)
    assert read_table(str(tmp_path / "t.data")).equals(table)
    assert read_table(tmp_path / "t.npy").to_pydict() == {"x1": [1.0, 0.0], "x2": [0.0, 1.0]}


NO_ROWS = "'f.csv' has a header but no rows; it needs at least one row of values."


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "'f.csv' is empty; a table needs a header or column numbers, and at least one row."),
        ("\n\n", "'f.csv' holds no rows that can be read; a table needs a header or column numbers, and rows."),
        ("a,b\n", NO_ROWS),
        ("a,b", NO_ROWS),
        ("a,a\n1,2\n", "'f.csv' has 2 columns named 'a' (columns 1 and 2); every name may occur once: rename all but one."),
        ("a,b\n1,2\n3\n4,5\n", "'f.csv' line 3 has 1 value where the header has 2; add what is missing there (an empty value still needs its delimiter)."),  # noqa: E501
        ('a,b\n1,"x\ny"\n3,4,5\n', "'f.csv' line 4 has 3 values where the header has 2; put quotes around a value that contains ',', or take one out."),  # noqa: E501
        ("1,2\n3,4\n5,6,7\n", "'f.csv' line 3 has 3 values where the first row has 2; put quotes around a value that contains ',', or take one out."),  # noqa: E501
        ('a,b\n1,"xy\n3,4\n5,6\n', "'f.csv' has a quote opened in line 2 that is never closed; close it, or write it twice (\"\")."),  # noqa: E501
        (b"\x01\x00\x02", "'f.csv' is not text (it holds zero bytes); pass a CSV or a Parquet file."),
        (b"PK\x03\x04....", "'f.csv' looks like an Excel workbook or a zip archive; save the sheet as CSV, or unpack it, and pass that."),  # noqa: E501
        ("a,b\nü,1\n".encode("utf-16"), "'f.csv' is UTF-16 text; save it as UTF-8, for instance with: iconv -f UTF-16 -t UTF-8."),  # noqa: E501
        ("a,b\n1,ü\n".encode("latin-1"), "'f.csv' is not UTF-8 text (byte 0xfc in line 2); save it as UTF-8, for instance with: iconv -f LATIN1 -t UTF-8 (or WINDOWS-1252)."),  # noqa: E501
    ],
)  # fmt: skip
def test_bad_files(read, content, sentence):
    with pytest.raises(DataError) as caught:
        read(content)
    assert str(caught.value) == sentence


def test_bad_encoding_and_open_quote_far_down(read, monkeypatch):
    monkeypatch.setattr(csv_files, "SAMPLE", 64)
    with pytest.raises(DataError) as caught:
        read(b"a,b\n" + b"1,x\n" * 100 + b"1,\xe9\n")
    assert str(caught.value).startswith("'f.csv' is not UTF-8 text (byte 0xe9 in line 102); save it as UTF-8")
    with pytest.raises(DataError) as caught:
        read("a,b\n" + "1,x\n" * 100 + '1,"y\n2,z\n')
    assert str(caught.value).startswith("'f.csv' has a quote opened in line 102 that is never closed")


def test_bad_settings(read):
    with pytest.raises(DataError) as caught:
        read("a;b\n1;2\n", delimiter=",")
    assert str(caught.value) == (
        "'f.csv' has one single column with ',' as its delimiter and 2 with ';'; pass that one, or leave the delimiter "
        "out to have it found."
    )
    with pytest.raises(DataError) as caught:
        read("a;b\n1;2\n", delimiter="ab")
    assert str(caught.value) == ("delimiter='ab' cannot be used; pass one character such as ',', ';', '|' or a tab.")
    with pytest.raises(DataError) as caught:
        read("a;b\n1;2\n", header="maybe")
    assert str(caught.value) == "header='maybe' is not known; pass True, False or 'auto'."


def test_bad_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flower.csv").write_text("a,b\n1,2\n")
    for path, sentence in [
        ("flowr.csv", "There is no file 'flowr.csv'; did you mean 'flower.csv'?"),
        ("zzz", "There is no file 'zzz'; check the name and the folder."),
        ("no/x.csv", "There is no file 'no/x.csv'; the folder 'no' does not exist."),
        (".", "'.' is a folder; name one file in it."),
    ]:
        with pytest.raises(DataError) as caught:
            read_table(path)
        assert str(caught.value) == sentence


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.csv").write_text("a,b\n1,2\n")

    def refuse(*arguments, **settings):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(DataError) as caught:
        read_table("f.csv")
    assert str(caught.value) == "'f.csv' may not be read; change its permissions, for instance with chmod u+r."


def test_damaged_parquet_and_gzip(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"a": list(range(1000))}), "t.parquet")
    whole = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"^'cut.parquet' is not a whole Parquet file \(.*\); copy or write it again"):
        read_table("cut.parquet")
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), "none.parquet")
    with pytest.raises(DataError) as caught:
        read_table("none.parquet")
    assert str(caught.value) == "'none.parquet' has columns but no rows; it needs at least one row of values."
    (tmp_path / "f.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 1000)[:-9])
    with pytest.raises(DataError, match=r"^'f.csv.gz' is a damaged or incomplete gzip file \(.*\); copy or download"):
        read_table("f.csv.gz")


def test_bad_objects():
    for source, sentence in [
        (5, "A table cannot be made from int; pass a path, a pandas or polars frame, a pyarrow Table, a dict of columns or a NumPy array."),  # noqa: E501
        (np.zeros((2, 3, 4)), "An array of shape (2, 3, 4) is no table; it needs (samples, columns). Pass arrays with more axes as images, or reshape it."),  # noqa: E501
        ({"a": [1, 2], "b": [1]}, "The columns have different lengths ('a' 2, 'b' 1); every column needs one value a row."),
        ({"a": [1, "x"]}, "Column 'a' holds values of more than one kind; make them all numbers or all text."),
    ]:  # fmt: skip
        with pytest.raises(DataError) as caught:
            read_table(source)
        assert str(caught.value) == sentence


def test_find_column():
    names = ["wt", "species", "5"]
    assert [find_column(names, name) for name in ("wt", "5", 1)] == ["wt", "5", "wt"]
    assert [find_column(nameless, "2") for nameless in (["column1", "column2"], ["x1", "x2"])] == ["column2", "x2"]
    with pytest.raises(DataError, match=r"^There is no column '2'. Columns: wt, species, 5\.$"):
        find_column(names, "2")  # a position only where columns have no names
    with pytest.raises(DataError) as caught:
        find_column(names, "Specis")
    assert str(caught.value) == "There is no column 'Specis'; did you mean 'species'? Columns: wt, species, 5."
    with pytest.raises(DataError) as caught:
        find_column(names, "9")
    assert str(caught.value) == "There is no column '9'. Columns: wt, species, 5."


words = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\r\x1a\ufeff", exclude_categories=("C", "Z")),
    min_size=1,
    max_size=8,
)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.none()


@settings(derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(numbers, st.integers(-(2**53), 2**53), words.map(lambda w: "w" + w)), min_size=1, max_size=6),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    bom=st.booleans(),
)  # fmt: skip
def test_what_pythons_csv_writes_is_read_back(tmp_path, rows, delimiter, bom):
    """Any numbers and words, any delimiter: the values come back, to the last bit."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["number", "whole", "word"])
    for number, whole, word in rows:
        writer.writerow(["" if number is None else repr(number), whole, word])
    path = tmp_path / "t.csv"
    path.write_bytes(out.getvalue().encode("utf-8-sig" if bom else "utf-8"))
    table = read_table(path, delimiter=delimiter)
    assert table.column_names == ["number", "whole", "word"]
    assert table.column("number").to_pylist() == [row[0] for row in rows]
    assert table.column("whole").to_pylist() == [row[1] for row in rows]
    assert table.column("word").to_pylist() == [row[2] for row in rows]


def test_importing_the_room_loads_neither_arrow_nor_scikit_learn():
    import subprocess

    code = "import sys, glassnet.data; print(sorted({'pyarrow', 'sklearn', 'pandas', 'polars', 'h5py'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
