"""What the hosted page says."""

LANGUAGES = ("ko", "en")

TEXTS = {
    "ko": {
        "title": "결제 (샌드박스)",
        "sandbox": "개발용 결제 페이지입니다. 실제로 결제되지 않습니다.",
        "card": "카드 번호",
        "pay": "결제하기",
        "cancel": "취소하고 돌아가기",
        "question": "카드사에서 본인 확인을 요청했습니다. 이 결제를 승인하시겠습니까?",
        "yes": "승인",
        "no": "거절",
        "over": "이 결제 페이지는 더 이상 사용할 수 없습니다.",
        "no_number": "카드 번호를 숫자로 입력해 주세요.",
        "declined": "카드가 거절되었습니다. 다른 카드를 사용해 주세요.",
        "insufficient_funds": "카드 한도가 부족합니다. 다른 카드를 사용해 주세요.",
        "incorrect_number": "카드 번호가 올바르지 않습니다.",
        "authentication_required": "본인 확인이 되지 않았습니다. 다시 시도해 주세요.",
        "card_good": "결제 성공",
        "card_bad": "카드 거절",
        "card_asks": "본인 확인 필요",
    },
    "en": {
        "title": "Payment (sandbox)",
        "sandbox": "This page is for development. Nobody is charged.",
        "card": "Card number",
        "pay": "Pay",
        "cancel": "Cancel and go back",
        "question": "The card's bank wants to know that it is you. Do you confirm this payment?",
        "yes": "Confirm",
        "no": "Refuse",
        "over": "This page can no longer be paid on.",
        "no_number": "Enter the card number in digits.",
        "declined": "The card was declined. Please use another one.",
        "insufficient_funds": "The card has insufficient funds. Please use another one.",
        "incorrect_number": "The card number is not right.",
        "authentication_required": "It was not confirmed. Please try again.",
        "card_good": "succeeds",
        "card_bad": "is declined",
        "card_asks": "asks for authentication",
    },
}
