"""From files, frames and arrays to the numbers a network trains on, and back to labels.

pyarrow and scikit-learn load when first used.
"""

from glassnet.data.array_preparation import ArrayPreparation, preparation_from_dict
from glassnet.data.arrays import is_array_source, read_array, read_hdf5, read_idx
from glassnet.data.bundled import Dataset, dataset, dataset_names
from glassnet.data.columns import find_column
from glassnet.data.features import CategoricalFeature, NumericFeature
from glassnet.data.fingerprint import file_fingerprint, fingerprint
from glassnet.data.preparation import Preparation, task_of, usable_rows
from glassnet.data.split import split_rows
from glassnet.data.tables import read_table

__all__ = [
    "ArrayPreparation",
    "CategoricalFeature",
    "Dataset",
    "NumericFeature",
    "Preparation",
    "dataset",
    "dataset_names",
    "file_fingerprint",
    "find_column",
    "fingerprint",
    "is_array_source",
    "preparation_from_dict",
    "read_array",
    "read_hdf5",
    "read_idx",
    "read_table",
    "split_rows",
    "task_of",
    "usable_rows",
]
