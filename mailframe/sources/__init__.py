"""Mail from files: mbox, Maildir and single messages become the same batches as mail from servers.

Every source yields messages as header blocks with what its format knows beside them (``rows``),
and one ``Reading`` turns them into record batches; bodies are passed over, never parsed.
"""
