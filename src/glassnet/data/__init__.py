"""From files, frames, arrays and pictures to the numbers a network trains on, and back to labels.

pyarrow, scikit-learn and Pillow load when first used.
"""

from glassnet.data.array_preparation import ArrayPreparation, preparation_from_dict
from glassnet.data.arrays import is_array_source, read_array, read_hdf5, read_idx
from glassnet.data.bundled import Dataset, dataset, dataset_names
from glassnet.data.columns import find_column
from glassnet.data.features import CategoricalFeature, NumericFeature
from glassnet.data.fingerprint import file_fingerprint, fingerprint
from glassnet.data.image_files import is_image_source, read_image
from glassnet.data.image_folder import Images, image_batches, image_folder
from glassnet.data.picture_arrays import images
from glassnet.data.picture_tables import pixels
from glassnet.data.preparation import Preparation, task_of, usable_rows
from glassnet.data.samples import PictureOptions, Samples, is_sample_source, read_described, read_samples
from glassnet.data.split import split_rows
from glassnet.data.tables import read_table

__all__ = [
    "ArrayPreparation",
    "CategoricalFeature",
    "Dataset",
    "Images",
    "NumericFeature",
    "PictureOptions",
    "Preparation",
    "Samples",
    "dataset",
    "dataset_names",
    "file_fingerprint",
    "find_column",
    "fingerprint",
    "image_batches",
    "image_folder",
    "images",
    "is_array_source",
    "is_image_source",
    "is_sample_source",
    "pixels",
    "preparation_from_dict",
    "read_array",
    "read_described",
    "read_hdf5",
    "read_idx",
    "read_image",
    "read_samples",
    "read_table",
    "split_rows",
    "task_of",
    "usable_rows",
]
