"""Convolutions and pools as their definitions read: one loop an index, one product a turn. Slow, and easy to believe."""

from __future__ import annotations

from itertools import product

import numpy as np


def places(size, window):
    """(u, v, r, s, row, column) of everything a window sees of a map: positions, places in the window, and where."""
    (high, wide), (down, across) = window.kernel, window.stride
    (above, below), (left, right) = window.padding
    taller, wider = window.dilation
    rows = (size[0] + above + below - (taller * (high - 1) + 1)) // down + 1
    columns = (size[1] + left + right - (wider * (wide - 1) + 1)) // across + 1
    for u, v, r, s in product(range(rows), range(columns), range(high), range(wide)):
        row, column = u * down + r * taller - above, v * across + s * wider - left
        yield u, v, r, s, row, column, 0 <= row < size[0] and 0 <= column < size[1]


def positions(size, window):
    """How many positions a window has: counted."""
    found = {(u, v) for u, v, *_ in places(size, window)}
    return (max(u for u, _ in found) + 1, max(v for _, v in found) + 1)


def convolve(X, W, window):
    """Z[i,j,u,v] = Σₖᵣₛ X[i,k,row,column] W[j,k,r,s]."""
    Z = np.zeros((len(X), len(W), *positions(X.shape[2:], window)))
    for i, j, k in product(range(len(X)), range(len(W)), range(X.shape[1])):
        for u, v, r, s, row, column, inside in places(X.shape[2:], window):
            if inside:
                Z[i, j, u, v] += X[i, k, row, column] * W[j, k, r, s]
    return Z


def convolve_back(D, W, window, size):
    """dX[i,k,row,column] = the sum of D[i,j,u,v] W[j,k,r,s] over all turns in which X[i,k,row,column] took part."""
    dX = np.zeros((len(D), W.shape[1], *size))
    for i, j, k in product(range(len(D)), range(len(W)), range(W.shape[1])):
        for u, v, r, s, row, column, inside in places(size, window):
            if inside:
                dX[i, k, row, column] += D[i, j, u, v] * W[j, k, r, s]
    return dX


def convolve_kernel(X, D, window):
    """dW[j,k,r,s] = the sum of X[i,k,row,column] D[i,j,u,v] over all turns in which W[j,k,r,s] took part."""
    dW = np.zeros((D.shape[1], X.shape[1], *window.kernel))
    for i, j, k in product(range(len(X)), range(D.shape[1]), range(X.shape[1])):
        for u, v, r, s, row, column, inside in places(X.shape[2:], window):
            if inside:
                dW[j, k, r, s] += X[i, k, row, column] * D[i, j, u, v]
    return dW


def winners(X, window):
    """For each sample, channel and position: where its window's largest entry lies, the first of equals."""
    found = {}
    for i, k in product(range(X.shape[0]), range(X.shape[1])):
        for u, v, _, _, row, column, _ in places(X.shape[2:], window):
            here = found.get((i, k, u, v))
            if here is None or X[i, k, row, column] > X[i, k, *here]:
                found[i, k, u, v] = (row, column)
    return found


def max_pool(X, window):
    P = np.zeros((*X.shape[:2], *positions(X.shape[2:], window)))
    for (i, k, u, v), (row, column) in winners(X, window).items():
        P[i, k, u, v] = X[i, k, row, column]
    return P


def unpool(D, X, window):
    """Each slope of a position to its winner."""
    dX = np.zeros(X.shape)
    for (i, k, u, v), (row, column) in winners(X, window).items():
        dX[i, k, row, column] += D[i, k, u, v]
    return dX


def pool_at(E, X, window):
    """The entries of E where X has its winners."""
    P = np.zeros((*X.shape[:2], *positions(X.shape[2:], window)))
    for (i, k, u, v), (row, column) in winners(X, window).items():
        P[i, k, u, v] = E[i, k, row, column]
    return P


def average_pool(X, window):
    P = np.zeros((*X.shape[:2], *positions(X.shape[2:], window)))
    for u, v, _, _, row, column, _ in places(X.shape[2:], window):
        P[:, :, u, v] += X[:, :, row, column] / (window.kernel[0] * window.kernel[1])
    return P


def spread_average(D, window, size):
    dX = np.zeros((*D.shape[:2], *size))
    for u, v, _, _, row, column, _ in places(size, window):
        dX[:, :, row, column] += D[:, :, u, v] / (window.kernel[0] * window.kernel[1])
    return dX
