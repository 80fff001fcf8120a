"""What `help()` and Shift+Tab tell: every argument, in the place where one looks for it."""

import inspect
import re

import pytest

import mailframe as mf

SECTION = re.compile(r"^Parameters\n-+\n(.*?)(?=^\w+\n-+\n|\Z)", re.MULTILINE | re.DOTALL)
FUNCTIONS = [name for name in mf.__all__ if inspect.isfunction(getattr(mf, name))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_tells_of_each_of_its_arguments(name):
    function = getattr(mf, name)
    section = SECTION.search(inspect.getdoc(function))[1]
    entries = re.findall(r"^(\S.*?)(?: : |$)", section, re.MULTILINE)
    told = {argument.lstrip("*") for entry in entries for argument in entry.split(", ")}
    assert told == set(inspect.signature(function).parameters)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_signature_fits_on_a_screen(name):
    assert len(str(inspect.signature(getattr(mf, name)))) < 1_000


@pytest.mark.parametrize("read", [mf.read_imap, mf.aread_imap, mf.aiter_batches])
def test_an_argument_that_does_not_exist_is_told_in_the_name_of_the_function_called(read):
    with pytest.raises(TypeError, match=rf"^{read.__name__}\(\) .*'folder'$"):
        read("imap://ann:secret@127.0.0.1:1", folder="INBOX")
    with pytest.raises(TypeError, match=rf"^{read.__name__}\(\) .*'account'$"):
        read()
