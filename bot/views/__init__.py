"""The views: pure functions from records and reports to Block Kit."""

from bot.views.acknowledgements import asked, cancel_outcome, csv_coming, started, steered
from bot.views.answers import answer_post, beside_post, prompt_failed_post
from bot.views.comparisons import (
    base_asked,
    compare_offer_message,
    compared_already,
    comparison_coming,
    comparison_post,
)
from bot.views.datasets import dataset_card
from bot.views.evaluations import confusion_title, evaluation_post
from bot.views.hosting import (
    hosting_coming,
    hosting_post,
    kept_asleep,
    not_hosted_post,
    not_stopped_post,
    sleep_coming,
    wake_offer,
    woken_post,
)
from bot.views.jobs import job_card
from bot.views.launching import LaunchForm, launch_modal
from bot.views.lineage import deleted_post, lineage_message
from bot.views.message import Message
from bot.views.modals import delete_modal, details_modal, try_modal
from bot.views.models import models_list, quote_message, quote_modal
from bot.views.notices import (
    LISTED,
    help_message,
    job_details,
    jobs_list,
    near_miss,
    not_training_data,
    refusal,
    something_failed,
    welcome,
)
from bot.views.outcomes import (
    cancelled_post,
    checkpoint_post,
    csv_title,
    failed_post,
    next_step,
    ready_post,
    results_file_title,
    results_message,
    results_post,
)
from bot.views.pictures import picture_title
from bot.views.snippets import code_modal
from bot.views.templates import dropped, rows_title, templates_list
from bot.views.unclear import name_run_modal, unclear_post
from bot.views.waiting import stuck_post

__all__ = [
    "LISTED",
    "LaunchForm",
    "Message",
    "answer_post",
    "asked",
    "base_asked",
    "beside_post",
    "cancel_outcome",
    "cancelled_post",
    "checkpoint_post",
    "code_modal",
    "compare_offer_message",
    "compared_already",
    "comparison_coming",
    "comparison_post",
    "confusion_title",
    "csv_coming",
    "csv_title",
    "dataset_card",
    "delete_modal",
    "deleted_post",
    "details_modal",
    "dropped",
    "evaluation_post",
    "failed_post",
    "help_message",
    "hosting_coming",
    "hosting_post",
    "job_card",
    "job_details",
    "jobs_list",
    "kept_asleep",
    "launch_modal",
    "lineage_message",
    "models_list",
    "name_run_modal",
    "near_miss",
    "next_step",
    "not_hosted_post",
    "not_stopped_post",
    "not_training_data",
    "picture_title",
    "prompt_failed_post",
    "quote_message",
    "quote_modal",
    "ready_post",
    "refusal",
    "results_file_title",
    "results_message",
    "results_post",
    "rows_title",
    "sleep_coming",
    "something_failed",
    "started",
    "steered",
    "stuck_post",
    "templates_list",
    "try_modal",
    "unclear_post",
    "wake_offer",
    "welcome",
    "woken_post",
]
