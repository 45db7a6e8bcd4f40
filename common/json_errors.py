"""JSON that cannot be read, whatever the decoder raises for it: msgspec checks UTF-8 and depth by other errors than its
own, and who sends such a thing is at fault as for any other garbage.
"""

import msgspec

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""All that decoding JSON raises."""
