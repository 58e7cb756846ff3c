"""Errors that serlab raises on purpose. Each message names the file or setting at fault and the remedy."""


class SerlabError(Exception):
    """Base of every error that serlab raises on purpose."""


class AudioError(SerlabError):
    """A sound file or signal cannot be used: missing, empty, silent, corrupt, too short or too long."""


class AudioWarning(UserWarning):
    """A sound file is taken as it is, but something about it should be known: clipped, or never finished."""


class CorpusError(SerlabError):
    """A corpus is missing, incomplete, mislabelled or not the one its name says."""


class FetchError(SerlabError):
    """A download failed, or what came is not what was asked for."""


class FeatureError(SerlabError):
    """A feature cannot be computed with these parameters or on this signal."""


class SplitError(SerlabError):
    """A split cannot be made as asked."""


class EvaluationError(SerlabError):
    """A metric, an interval or a comparison cannot be computed from these labels and predictions."""


class RunError(SerlabError):
    """A recorded run is missing, malformed or contradicts itself."""


class ModelError(SerlabError):
    """A trained model cannot be saved or read, or is not for what it is given."""


class QuizError(SerlabError):
    """There is no quiz of this name."""
