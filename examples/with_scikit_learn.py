"""glassnet's estimators among scikit-learn's tools: everything one does with MLPClassifier, and the run besides.

Run it with:  python examples/with_scikit_learn.py
"""

import tempfile
import warnings
from pathlib import Path

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import glassnet as gn

warnings.simplefilter("ignore", ConvergenceWarning)  # short trainings, to be quick
wine = load_wine(as_frame=True)
X, y = wine.data, wine.target_names[wine.target]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

print("1. A pipeline on a pandas frame, and the run inside it")
scaler = StandardScaler().set_output(transform="pandas")
model = make_pipeline(scaler, gn.MLPClassifier((10,), max_iter=150, random_state=0))
model.fit(X_train, y_train)
network = model[-1]
print(f"   held-out accuracy {model.score(X_test, y_test):.2f}, features {list(network.feature_names_in_[:3])} ...")
print(f"   {network.run_.derivation['dW1']},  loss {network.loss_curve_[0]:.2f} -> {network.loss_:.3f}")

print("2. A grid search")
grid = {"mlpclassifier__hidden_layer_sizes": [(4,), (10,)], "mlpclassifier__alpha": [1e-4, 1.0]}
search = GridSearchCV(model, grid, cv=3).fit(X_train, y_train)
print(f"   best {search.best_params_}, {search.best_score_:.2f}")

print("3. Cross-validation of any network of glassnet's own")
layers = [gn.Dense(8), gn.BatchNorm(), gn.Activation("tanh"), gn.Dropout(0.1)]
own = make_pipeline(StandardScaler(), gn.NetworkClassifier(layers, optimizer=gn.Adam(0.02), epochs=60, random_state=0))
print(f"   accuracy {cross_val_score(own, X, y, cv=3).mean():.2f}")

print("4. Which columns matter, and how")
importance = permutation_importance(model, X_test, y_test, n_repeats=5, random_state=0)
print(f"   most important: {X.columns[importance.importances_mean.argmax()]}")
curve = partial_dependence(model, X_train, ["alcohol"], grid_resolution=5)
print(f"   probability of {wine.target_names[0]} by alcohol: {np.round(curve['average'][0], 2)}")

print("5. Calibrated probabilities")
calibrated = CalibratedClassifierCV(model, cv=3).fit(X_train, y_train)
print(f"   largest probability {calibrated.predict_proba(X_test).max():.3f}")

print("6. A regression with its statistics on some columns, a polars frame")
try:
    import polars as pl

    frame = pl.DataFrame({name: X[name].to_numpy() for name in X})
except ImportError:
    frame = X
columns = ["alcohol", "hue"]
line = make_pipeline(make_column_transformer(("passthrough", columns)), gn.LinearRegression()).fit(
    frame, X["color_intensity"].to_numpy()
)
print(f"   {dict(zip(columns, line[-1].coef_.round(3).tolist(), strict=True))}")

print("7. Saved without pickle, loaded, and gone on with")
with tempfile.TemporaryDirectory() as folder:
    path = network.save(Path(folder) / "wine.glassnet")
    loaded = gn.load(path)
same = np.array_equal(loaded.predict_proba(scaler.transform(X_test)), model.predict_proba(X_test))
print(f"   the same probabilities: {same}; step 7 of its training: cost {float(loaded.run_.intermediates(7)['J']):.4f}")
