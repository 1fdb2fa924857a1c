"""The fixture `program` of the guide's example: a program on the official SDK."""

import os

import globus_sdk
import pytest

from apps import user_app


class Program:
    def __init__(self):
        self.transfer = globus_sdk.TransferClient(app=user_app(auto_redrive_gares=True))

    def list(self):
        return [entry["name"] for entry in self.transfer.operation_ls(os.environ["FAKE_GLOBUS_COLLECTION"])]


@pytest.fixture
def program():
    return Program()
