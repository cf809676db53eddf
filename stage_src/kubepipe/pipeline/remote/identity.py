"""Who the caller is, as the Kubernetes API knows it."""

from __future__ import annotations

from kubepipe.errors import KubePipeError


def who_am_i() -> str:
    """Name of the user that the credentials at hand belong to.

    Raises:
        KubePipeError: The API does not tell.
    """
    from kubernetes import client

    try:
        review = client.AuthenticationV1Api().create_self_subject_review({})
    except client.ApiException as error:
        raise KubePipeError(
            f"the cluster does not tell who you are ({error.status} {error.reason})",
            remedy="It needs Kubernetes 1.28 or later",
        ) from error
    return str(review.status.user_info.username)
