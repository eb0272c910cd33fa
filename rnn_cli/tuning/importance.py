"""Which keys made the difference between trials: by functional analysis of variance of a forest fitted to them.

Source: Hutter, Hoos and Leyton-Brown (2014), An efficient approach for assessing hyperparameter importance.
"""

from collections import Counter

import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

FEWEST_TRIALS = 8
"""Fewer trials say nothing of their keys."""

FOREST_SEED = 1


def importance_of_keys(study: optuna.Study) -> dict[str, float]:
    """The share of each dimension in how trials differ, the largest first; empty where trials are too few.

    Trials that have the same dimensions are compared: most often those of networks.
    """
    measured = [each for each in study.trials if each.state == TrialState.COMPLETE]
    kinds = Counter(frozenset(each.params) for each in measured)
    if not kinds:
        return {}
    most, count = kinds.most_common(1)[0]
    alike = [each for each in measured if frozenset(each.params) == most]
    names = sorted(name for name in most if _varies(name, alike))
    if count < FEWEST_TRIALS or not names or len({each.value for each in alike}) < 2:
        return {}
    apart = optuna.create_study()
    apart.add_trials(alike)
    return dict(get_param_importances(apart, evaluator=FanovaImportanceEvaluator(seed=FOREST_SEED), params=names))


def _varies(name: str, trials: list[FrozenTrial]) -> bool:
    return len({each.params[name] for each in trials}) > 1
