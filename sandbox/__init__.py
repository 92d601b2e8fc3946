"""A Telegram in a box: real MTProto and the real Bot API on 127.0.0.1, one World behind both.

Imports nothing of Porter. `python -m sandbox` starts it; sandbox/driver.py chats through its control API.
"""
