"""Baselines: predictors that need no gradient, fitted in closed form, and saved, compared and served like networks.

global-mean     the mean training vector                context-mean   the mean of the document so far
copy-last       the last vector                         ewma           one decayed mean, decay tuned on validation
ridge           ridge regression on the last vectors    ewma-mix       least squares on seven decayed means
knn-successor   what followed similar contexts          ridge-mix      ewma-mix and a ridge regression of what it misses
contrast        for ranks: least squares on what tells the next vector from others of its document
gaussian        for samples and densities: ridge-mix and the covariance of what it misses
"""

from nextvec.models.baseline import BASELINES, Baseline, fit_baseline

__all__ = ["BASELINES", "Baseline", "fit_baseline"]
