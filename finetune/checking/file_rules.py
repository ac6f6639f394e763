"""The rules about a file as a whole: what its rows share, its classes, its size, and what it seems to be for."""

from __future__ import annotations

from finetune.checking.rule import Rule
from finetune.findings import Severity

_E, _W, _A = Severity.ERROR, Severity.WARNING, Severity.ADVICE

CONTAINER_RULES: dict[str, Rule] = {
    "empty-file": Rule(_E, "The file is empty.", "Save the examples in it, and try again."),
    "file-too-large": Rule(_E, "The file is larger than training takes.", "Split it into smaller files."),
    "suspicious-archive": Rule(
        _E,
        "Opening the file takes more memory or time than a dataset of its size needs.",
        "Save the rows as CSV or JSONL, and drop that.",
    ),
}
"""What keeps a file from being read; the place where it is found says it more exactly."""

PAIR_RULES: dict[str, Rule] = {
    "separator-missing": Rule(
        _A,
        "The prompts have no ending in common, to show where the completion begins.",
        "End every prompt with `{separator}`, also those you send later.",
        "prepare_data",
        fixable=True,
        for_base=_W,
    ),
    "separator-inside": Rule(
        _A,
        "holds|hold the common ending of the prompts earlier in the prompt, too",
        "End prompts with something that stands nowhere else, such as `{separator}`.",
        "prepare_data",
        for_base=_W,
    ),
    "separator-long": Rule(
        _A,
        "All prompts end with the same {characters} characters, which is long for a separator.",
        "Shorten the ending, for example to `{separator}`.",
        "prepare_data",
        for_base=_W,
    ),
    "prompt-prefix-common": Rule(
        _A,
        "All prompts begin with the same {characters} characters.",
        "Delete them: the model learns the task from the examples.",
        "prepare_data",
        fixable=True,
        for_base=_W,
    ),
    "prompts-identical": Rule(
        _W,
        "All rows have the same prompt.",
        "Write what each answer answers; for free text, leave every prompt empty.",
        "prepare_data",
    ),
    "completion-prefix-common": Rule(
        _A,
        "All completions begin with the same {characters} characters.",
        "Delete them, but for one leading space: keep what differs.",
        "prepare_data",
        fixable=True,
        for_base=_W,
    ),
    "completion-suffix-missing": Rule(
        _A,
        "The completions have no ending in common, to show where to stop.",
        "End every completion with `{ending}`, and use it as the stop sequence.",
        "prepare_data",
        fixable=True,
        for_base=_W,
    ),
    "completion-space-missing": Rule(
        _A,
        "has|have a completion that does not begin with a space",
        "Begin every completion with one space: most tokens of words do.",
        "prepare_data",
        fixable=True,
        for_base=_W,
    ),
    "completions-identical": Rule(
        _W,
        "All rows have the same answer.",
        "Write the answer to each prompt: the model would only repeat this one.",
        "prepare_data",
    ),
    "upper-case": Rule(
        _A,
        "More than a third of the letters in {columns} are capitals.",
        "Write them in lower case, if that keeps the meaning.",
        "prepare_data",
        fixable=True,
    ),
    "long-example": Rule(
        _A, "is|are longer than 10,000 characters", "Shorten it, or make several rows of it.", "prepare_data"
    ),
}

CLASS_RULES: dict[str, Rule] = {
    "label-many-tokens": Rule(
        _W,
        "has|have a label of more than one token",
        "Use labels of one token, such as ` yes` and ` no`, or number the classes and keep a list.",
        "guide",
    ),
    "class-too-small": Rule(
        _W,
        "belongs|belong to a class of fewer than 100 examples",
        "Add examples until every class has 100, or merge small classes.",
        "guide",
    ),
    "class-imbalance": Rule(
        _A,
        "The largest class has {times} times the examples of the smallest.",
        "Add examples to the small classes, or leave some of the largest out.",
        "guide",
    ),
    "conflicting-label": Rule(
        _W,
        "has|have a prompt that another row answers otherwise",
        "Same prompt, different answers: choose one.",
    ),
}

TASK_RULES: dict[str, Rule] = {
    "too-few-examples": Rule(
        _A, "The file has {counted}, which is few for {task}.", "Add {missing}; aim for {aim} good ones.", "cookbook"
    ),
    "facts-not-tuning": Rule(
        _A,
        "Most rows ask for a fact, and answer with it: tuning teaches manner, and keeps few facts.",
        "Keep the facts in a table to be looked up, and tune for tone and form.",
        "guide",
    ),
    "entity-order": Rule(
        _A,
        "lists|list what the prompt names neither in its order nor by the alphabet",
        "List them in the order of the prompt, the same way in every row.",
        "guide",
    ),
    "key-value-prompt": Rule(
        _A,
        "has|have a prompt of names and values, such as `colour=red, size=S`",
        "Write them as sentences: The colour is red. The size is S.",
        "guide",
    ),
    "train-validation-overlap": Rule(
        _E,
        "stands|stand in the validation file as well",
        "Delete it from one of the two files: what was learnt measures nothing.",
        "guide",
    ),
    "train-test-overlap": Rule(
        _E,
        "stands|stand in the test file as well",
        "Delete it from one of the two files: what was learnt measures nothing.",
        "guide",
    ),
}

FILE_RULES: dict[str, Rule] = CONTAINER_RULES | PAIR_RULES | CLASS_RULES | TASK_RULES
