"""What auth's mails say, in the language of who caused them. Plain text: a link that people can read before they follow
it."""

from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import urlencode

from common.email_address import on_the_wire
from common.languages import DEFAULT
from services.auth.application.mailing import PreparedMail
from services.auth.domain.mails import Kind

_TEXTS: Mapping[str, Mapping[Kind, tuple[str, str]]] = {
    "en": {
        Kind.PASSWORD_RESET: (
            "Choose a new password",
            "somebody, probably you, asked for a new password. Choose it here:\n\n{reset}\n\n"
            "The link works once and for a short time. If you did not ask, nothing has changed.",
        ),
        Kind.PASSWORD_CHANGED: (
            "Your password was changed",
            "your password was changed and other devices were signed out. If this was not you, "
            "choose a new password at once: {forgot}",
        ),
        Kind.EMAIL_CONFIRMATION: (
            "Confirm your e-mail address",
            "please confirm that this is your address:\n\n{verify}\n\n"
            "If you did not give it to us, there is nothing to do.",
        ),
        Kind.EMAIL_CHANGE: (
            "Confirm your new e-mail address",
            "somebody, probably you, wants to sign in with this address from now on. Confirm it here:\n\n"
            "{verify}\n\nIf you did not give it to us, there is nothing to do.",
        ),
        Kind.EMAIL_CHANGE_REQUESTED: (
            "Another e-mail address was asked for",
            "your account is to move to another e-mail address. It moves when the link is opened that is "
            "mailed there to whoever gives your password. Until then you sign in with this address, and "
            "you can take the change back: {email}\n\n"
            "If this was not you, somebody else knows your password: choose a new password at once: {forgot}\n"
            "That takes the change back, too.",
        ),
        Kind.EMAIL_CHANGED: (
            "The e-mail address of your account was changed",
            "your account signs in with another e-mail address from now on, and its mails go there.\n\n"
            "If this was not you, somebody else uses your account. Ask us for help at once.",
        ),
    },
    "ko": {
        Kind.PASSWORD_RESET: (
            "새 비밀번호를 정해 주세요",
            "새 비밀번호를 요청하셨습니다. 아래에서 정해 주세요.\n\n{reset}\n\n"
            "링크는 잠시 동안 한 번만 쓸 수 있습니다. 요청하지 않으셨다면 바뀐 것은 없습니다.",
        ),
        Kind.PASSWORD_CHANGED: (
            "비밀번호가 변경되었습니다",
            "비밀번호가 변경되어 다른 기기에서 로그아웃되었습니다. "
            "직접 하신 것이 아니라면 바로 새 비밀번호를 정해 주세요.\n\n{forgot}",
        ),
        Kind.EMAIL_CONFIRMATION: (
            "이메일 주소를 확인해 주세요",
            "이 이메일 주소가 본인의 것인지 확인해 주세요.\n\n{verify}\n\n"
            "이 주소를 알려 주신 적이 없다면 아무것도 하지 않으셔도 됩니다.",
        ),
        Kind.EMAIL_CHANGE: (
            "새 이메일 주소를 확인해 주세요",
            "앞으로 이 이메일 주소로 로그인하겠다는 요청이 있었습니다. 아래에서 확인해 주세요.\n\n{verify}\n\n"
            "이 주소를 알려 주신 적이 없다면 아무것도 하지 않으셔도 됩니다.",
        ),
        Kind.EMAIL_CHANGE_REQUESTED: (
            "이메일 주소 변경 요청이 있었습니다",
            "계정의 이메일 주소를 바꾸려는 요청이 있었습니다. 새 주소로 보낸 링크가 열리면 바뀝니다. "
            "그때까지는 지금 주소로 로그인하시고, 아래에서 변경을 취소하실 수 있습니다.\n\n{email}\n\n"
            "직접 하신 것이 아니라면 다른 사람이 비밀번호를 알고 있는 것입니다. "
            "바로 새 비밀번호를 정해 주세요.\n\n{forgot}\n\n"
            "그러면 변경도 취소됩니다.",
        ),
        Kind.EMAIL_CHANGED: (
            "계정의 이메일 주소가 변경되었습니다",
            "이제부터 계정은 다른 이메일 주소로 로그인하며, 메일도 그 주소로 보냅니다.\n\n"
            "직접 하신 것이 아니라면 다른 사람이 계정을 쓰고 있는 것입니다. 바로 저희에게 알려 주세요.",
        ),
    },
}
"""By language and kind, the subject and the text, which begins in the middle of a sentence in English."""


class EmailTemplates:
    """`site`: where the front end is, an origin; `sender` as in a From header."""

    def __init__(self, site: str, sender: str) -> None:
        self._site = site
        name, address = parseaddr(sender)
        self._sender = Address(name, addr_spec=on_the_wire(address))

    def written(self, mail: PreparedMail) -> EmailMessage:
        """The mail but its date and id. Raises ValueError where `to` is nothing that can be written to."""
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = on_the_wire(mail.to)
        subject, text = (_TEXTS.get(mail.language) or _TEXTS[DEFAULT])[mail.kind]
        message["Subject"] = subject
        query = f"?{urlencode({'token': mail.secret})}"
        text = text.format(
            reset=f"{self._site}/password/reset{query}",
            verify=f"{self._site}/email/verify{query}",
            forgot=f"{self._site}/password/forgot",
            email=f"{self._site}/account/email",
        )
        body = f"{_greeting(mail)}\n\n{text}\n"
        # Left as it is where that is allowed: quoted-printable breaks a link for who reads the file itself.
        message.set_content(body, cte="7bit" if body.isascii() else "quoted-printable")
        return message


def _greeting(mail: PreparedMail) -> str:
    # A name is whatever was typed, and before the address is confirmed perhaps not by who reads this mail: nobody
    # sends strangers a text of their own in a mail of ours. Later one line of it, so that it cannot pass for our text.
    account = mail.account
    name = " ".join(account.name.split())[:100]
    named = account.email_verified and mail.to == account.email
    if mail.language == "ko":
        return f"{name}님, 안녕하세요." if named else "안녕하세요."
    return f"Hello {name}," if named else "Hello,"
