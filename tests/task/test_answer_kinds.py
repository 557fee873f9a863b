"""Replies by kind with what a person reads from them: reasons behind the answer, wrappings, numbers written elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from gpo.task.answer import Prediction, answer_reader, read_reply

QUESTION = "Which one is cold?\n(A) red\n(B) blue\n(C) green"

Row = tuple[str, str, Prediction]

CHOICES: list[Row] = [
    ("chinese or japanese", "Ｂ", "B"),
    ("chinese or japanese", "答案：（Ｂ）", "B"),
    ("chinese or japanese", "应该选B，因为A是暖色。", "B"),
    ("chinese or japanese", "我选择B。", "B"),
    ("chinese or japanese", "正确选项是B", "B"),
    ("chinese or japanese", "B选项正确，A选项错误。", "B"),
    ("chinese or japanese", "正解は(B)です。(A)は誤りです。", "B"),
    ("chinese or japanese", "Bが正しいです。", "B"),
    ("chinese or japanese", "選択肢Bです。", "B"),
    ("corrected", "The answer is A. No, the answer is B.", "B"),
    ("corrected", "I think (A) at first, but on reflection (B).", "B"),
    ("corrected", "The answer is (A).\n\nWait, (A) is warm. So (B).", "B"),
    ("in doubt", "The answer is (A) or (B).", None),
    ("in doubt", "A/B", None),
    ("in doubt", "Either (A) or (B)", None),
    ("in doubt", "<answer>A or B</answer>", None),
    ("in doubt", "\\boxed{A, B}", None),
    ("in doubt", "(A) and (B)", None),
    ("in doubt", "[[A]] or [[B]]", None),
    ("in doubt", "The answer is A.\n\nThe answer is B.", None),
    ("in doubt", "The answer is (A).\n\nWait, (A) is warm. Hmm, (B) or (C)?", None),
    ("in doubt", "A ✗\nB ✓\nC ✗", None),
    ("in doubt", "If the question were about warmth, the answer would be (A).", None),
    ("in doubt", "The answer would be (A) if it asked for warm.", None),
    ("in doubt", "No option fits.", None),
    ("in doubt", "None of (A), (B), (C).", None),
    ("in doubt", "All of the above", None),
    ("in doubt", "The answer is (D).", None),
    ("in doubt", "Both A and B", None),
    ("in doubt", "The answers are A and B.", None),
    ("in doubt", "Blue is cold; red is warm.", None),
    ("others ruled out or plain", "(B) blue. Explanation: (A) is wrong because red is warm.", "B"),
    ("others ruled out or plain", "B\n\nExplanation: A is red, which is warm.", "B"),
    ("others ruled out or plain", "B - blue is the cold one. A would be warm.", "B"),
    ("others ruled out or plain", "Blue (B) is cold, whereas red (A) is warm.", "B"),
    ("others ruled out or plain", "The correct answer is B, as A and C are warm.", "B"),
    ("others ruled out or plain", "(B)\n\n(A) is a warm colour. (C) is neutral.", "B"),
    ("others ruled out or plain", "B is correct. A is not.", "B"),
    ("others ruled out or plain", "B is right; C is wrong.", "B"),
    ("others ruled out or plain", "Answer: B. A and C are distractors.", "B"),
    ("others ruled out or plain", "The answer is not A. It's B.", "B"),
    ("others ruled out or plain", "#### B", "B"),
    ("others ruled out or plain", "Not (A), not (C): (B)", "B"),
    ("others ruled out or plain", "A is tempting but B is the answer.", "B"),
    ("others ruled out or plain", "Die Antwort ist B, nicht A.", "B"),
    ("others ruled out or plain", "C'est la réponse B.", "B"),
    ("others ruled out or plain", "La opción correcta es (B).", "B"),
    ("others ruled out or plain", "Answer: B (not A)", "B"),
    ("others ruled out or plain", "Option (B) \u2013 blue. Option (A) is incorrect.", "B"),
    ("others ruled out or plain", "Let's eliminate. (A): wrong. (C): wrong. (B): correct.", "B"),
    ("others ruled out or plain", "A: wrong\nB: correct\nC: wrong", "B"),
    ("others ruled out or plain", "(B) and not (A)", "B"),
    ("others ruled out or plain", "Could be (B)?", "B"),
    ("others ruled out or plain", "(B), although (A) is close.", "B"),
    ("others ruled out or plain", "(A) seems right. However, (B) is the cold one, so (B).", "B"),
    ("others ruled out or plain", "I would have said (A), but it's (B).", "B"),
    (
        "others ruled out or plain",
        "If the question were about warmth, the answer would be (A). Here it is (B).",
        "B",
    ),
    ("others ruled out or plain", "B (blue)", "B"),
    ("others ruled out or plain", "b) blue", "B"),
    ("others ruled out or plain", "Answer: b", "B"),
    ("others ruled out or plain", "answer is b.", "B"),
    ("others ruled out or plain", "(b)", "B"),
    ("others ruled out or plain", "The correct answer is option (b) blue.", "B"),
    ("others ruled out or plain", "The answer is\n\n(B)", "B"),
    ("others ruled out or plain", "answer = B", "B"),
    ("others ruled out or plain", "ANSWER: B.", "B"),
    ("others ruled out or plain", "blue", "B"),
    ("others ruled out or plain", "The answer is blue, not red.", "B"),
    ("wrapped", "\\boxed{(B)}", "B"),
    ("wrapped", "$\\boxed{B}$", "B"),
    ("wrapped", "The answer is \\(B\\).", "B"),
    ("wrapped", "**B**", "B"),
    ("wrapped", "`B`", "B"),
    ("wrapped", '"B"', "B"),
    ("wrapped", "[B]", "B"),
    ("wrapped", '{"answer": "B"}', "B"),
    ("wrapped", "{answer: B}", "B"),
    ("wrapped", '{"answer": {"letter": "B"}}', "B"),
    ("wrapped", '```json\n{"answer": "(B) blue"}\n```', "B"),
    ("wrapped", "<answer>B</answer>\n<explanation>A is warm</explanation>", "B"),
    ("wrapped", "<answer> B. blue </answer>", "B"),
    ("wrapped", "Final Answer: \\text{B}", "B"),
    ("wrapped", "$\\text{Answer: B}$", "B"),
    ("wrapped", "The answer: **(B)** blue", "B"),
    ("wrapped", "**Answer:**\n\nB", "B"),
    ("wrapped", "Therefore, the answer is $\\boxed{\\text{B. blue}}$.", "B"),
    ("wrapped", "\\boxed{\\mathrm{B}}", "B"),
    ("wrapped", "\\textbf{B}", "B"),
    ("wrapped", "The answer is **not (A)** but **(B)**.", "B"),
    ("wrapped", "<b>B</b>", "B"),
    ("wrapped", "<choice>B</choice>", "B"),
    ("wrapped", "<ANSWER>B</ANSWER>", "B"),
    ("wrapped", "<answer>\n(B)", "B"),
    ("wrapped", '{"Answer":"B","Explanation":"A is wrong"}', "B"),
    ("wrapped", "*B*", "B"),
    ("wrapped", "_B_", "B"),
    ("wrapped", "\u201cB\u201d", "B"),
    ("wrapped", "\u2018B\u2019", "B"),
    ("wrapped", "«B»", "B"),
    ("wrapped", "\\(B\\)", "B"),
    ("wrapped", "\\[ B \\]", "B"),
    ("wrapped", "$$B$$", "B"),
    ("wrapped", "$(B)$", "B"),
    ("wrapped", "Answer: $\\text{(B)}$", "B"),
    ("wrapped", "**blue**", "B"),
]

NUMBERS: list[Row] = [
    ("fractions", "½", 0.5),
    ("fractions", "1½", 1.5),
    ("fractions", "1 ½", 1.5),
    ("fractions", "-1½", -1.5),
    ("fractions", "-½", -0.5),
    ("fractions", "¼", 0.25),
    ("fractions", "2¾", 2.75),
    ("fractions", "2 ¾ cups", 2.75),
    ("in doubt", "between 5 and 7", None),
    ("in doubt", "5-7", None),
    ("in doubt", "5\u20137 days", None),
    ("in doubt", "5 or 6", None),
    ("in doubt", "about 5 to 6 hours", None),
    ("in doubt", "The answer is 5 or 6.", None),
    ("in doubt", "12\n14", None),
    ("in doubt", "The final answer is 5. The final answer is 6.", None),
    ("in doubt", "12.05.2024", None),
    ("in doubt", "1,2,3", None),
    ("in doubt", "The ratio is 3:4.", None),
    ("in doubt", "2 packs are not enough.", None),
    ("in doubt", "3 to 4", None),
    ("in doubt", "3-4 packs", None),
    ("in doubt", "about 3 or 4", None),
    ("in doubt", "It's 5:30.", None),
    ("latex and powers", "3.0\\times10^{5}", 300000.0),
    ("latex and powers", "3.0 \\times 10^5", 300000.0),
    ("latex and powers", "3 \xd7 10^5", 300000.0),
    ("latex and powers", "3\xd710\u2075", 300000.0),
    ("latex and powers", "1e5", 100000.0),
    ("latex and powers", "50\\%", 50.0),
    ("latex and powers", "$\\boxed{1{,}234}$", 1234.0),
    ("latex and powers", "\\boxed{\\text{12 apples}}", 12.0),
    ("latex and powers", "\\boxed{12\\text{ km}}", 12.0),
    ("latex and powers", "**Answer:** 5", 5.0),
    ("latex and powers", "3 \xd7 10\u207b\u2075", 3e-05),
    ("latex and powers", "6.02·10^23", 6.02e23),
    ("latex and powers", "3.0\\cdot10^{5}", 300000.0),
    ("latex and powers", "3*10^5", 300000.0),
    ("latex and powers", "10^{5}", 100000.0),
    ("latex and powers", "\\frac12", 0.5),
    ("latex and powers", "\\tfrac{1}{2}", 0.5),
    ("latex and powers", "1\\frac{1}{2}", 1.5),
    ("other digits", "５０％", 50.0),
    ("other digits", "١٢٣", 123.0),
    ("other digits", "१२३", 123.0),
    ("other digits", "－５", -5.0),
    ("other digits", "答案是12，不是15。", 12.0),
    ("other digits", "共有12个苹果", 12.0),
    ("other digits", "答えは12個です。", 12.0),
    ("other digits", "3万円", 30000.0),
    ("other digits", "1.5億", 150000000.0),
    ("other digits", "٣٫٥", 3.5),
    ("other digits", "۱۲۳", 123.0),
    ("other digits", "１２，３４５", 12345.0),
    ("other digits", "\u2212\uff11\uff12", -12.0),
    ("reasons and wholes", "needs 3 packs, since 2 are not enough", 3.0),
    ("reasons and wholes", "15 remain out of 20", 15.0),
    ("reasons and wholes", "15 out of 20 remain", 15.0),
    ("reasons and wholes", "It takes 4 hours, not 5.", 4.0),
    ("reasons and wholes", "It takes 4 hours instead of 5.", 4.0),
    ("reasons and wholes", "She has 12 apples left, because she gave away 3.", 12.0),
    ("reasons and wholes", "He pays $45 (that is 9 \xd7 5).", 45.0),
    ("reasons and wholes", "5 buses, as 4 buses hold only 160 pupils", 5.0),
    ("reasons and wholes", "(\u22125)", -5.0),
    ("reasons and wholes", "She needs 3 packs. 2 are not enough.", 3.0),
    ("reasons and wholes", "3 packs; 2 packs are not enough", 3.0),
    ("reasons and wholes", "3, because 2 \xd7 10 = 20 < 24", 3.0),
    ("reasons and wholes", "3 packs (2 would be too few)", 3.0),
    ("reasons and wholes", "3 (not 2)", 3.0),
    ("reasons and wholes", "It is 3 rather than 2.", 3.0),
    ("reasons and wholes", "At least 3 packs are needed, as 2 packs only have 20.", 3.0),
    ("reasons and wholes", "Since 2 packs are not enough, she needs 3.", 3.0),
    ("reasons and wholes", "15 of the 20 remain", 15.0),
    ("reasons and wholes", "Out of 20, 15 remain.", 15.0),
    ("reasons and wholes", "The answer is 15 (out of 20).", 15.0),
    ("reasons and wholes", "15 remain (20 - 5 = 15).", 15.0),
    ("reasons and wholes", "15 books remain because 5 of 20 were lent.", 15.0),
    ("reasons and wholes", "So 15 remain from the original 20.", 15.0),
    ("reasons and wholes", "The answer is 12 (twelve).", 12.0),
    ("reasons and wholes", "Room 12 has 3 beds, so the answer is 3.", 3.0),
    ("scales", "$50k", 50000.0),
    ("scales", "$3.2M", 3200000.0),
    ("scales", "$1.5B", 1500000000.0),
    ("scales", "50K", 50000.0),
    ("scales", "$5m", 5000000.0),
    ("scales", "5m", 5.0),
    ("scales", "5 lakh", 500000.0),
    ("scales", "$1.2 trillion", 1200000000000.0),
    ("scales", "5 Mio.", 5000000.0),
    ("scales", "1.5k", 1500.0),
    ("scales", "$2.5K", 2500.0),
    ("scales", "2M", 2000000.0),
    ("separators and signs", "1,00,000", 100000.0),
    ("separators and signs", "12,34,567.50", 1234567.5),
    ("separators and signs", "€1.000", 1000.0),
    ("separators and signs", "1.000 €", 1000.0),
    ("separators and signs", "1.234,50", 1234.5),
    ("separators and signs", "1.234.567", 1234567.0),
    ("separators and signs", "1 234,5", 1234.5),
    ("separators and signs", "1\xa0234,5", 1234.5),
    ("separators and signs", "1\u2009234,56", 1234.56),
    ("separators and signs", "1'234'567", 1234567.0),
    ("separators and signs", "1\u2019234.50", 1234.5),
    ("separators and signs", "5 m", 5.0),
    ("separators and signs", "1E5", 100000.0),
    ("separators and signs", "2.5e-3", 0.0025),
    ("separators and signs", "50 %", 50.0),
    ("separators and signs", "\u22125", -5.0),
    ("separators and signs", "\u20135", -5.0),
    ("separators and signs", "minus 5", -5.0),
    ("separators and signs", "1.000", 1.0),
    ("separators and signs", "0,5", 0.5),
    ("separators and signs", "3,14159", 3.14159),
    ("separators and signs", "12,5", 12.5),
    ("separators and signs", "The answer is $1,234.", 1234.0),
    ("separators and signs", "12 km²", 12.0),
    ("separators and signs", "Rs. 5,00,000/-", 500000.0),
    ("separators and signs", "Es sind 1.500 Stück.", 1500.0),
    ("separators and signs", "Das Ergebnis ist 2,5.", 2.5),
    ("separators and signs", "Il y a 3 500 habitants.", 3500.0),
    ("separators and signs", "Son 12.000 personas en total; la respuesta es 12.000.", 12000.0),
    ("separators and signs", "100,000", 100000.0),
    ("separators and signs", "3.125", 3.125),
    ("separators and signs", "$3.125", 3.125),
    ("separators and signs", "2,50,000 rupees", 250000.0),
    ("separators and signs", "The answer is 7.\n\nExplanation: 3 + 4 = 7, and 8 would be too many.", 7.0),
    ("separators and signs", "x=5", 5.0),
    ("separators and signs", "Answer: ~5", 5.0),
    ("separators and signs", "≈ 5.2", 5.2),
    ("separators and signs", '{"answer": 1234.5}', 1234.5),
    ("separators and signs", '{"answer": "1.234,5"}', 1234.5),
    ("separators and signs", "The total is 1 234 567.", 1234567.0),
    ("separators and signs", "1.234 Personen sind insgesamt gekommen.", 1234.0),
    ("separators and signs", "Sie hat 3,50 € bezahlt.", 3.5),
    ("separators and signs", "$1,00,000", 100000.0),
    ("separators and signs", "₹1,00,000", 100000.0),
    ("separators and signs", "1,23,456.78", 123456.78),
    ("separators and signs", "1,234.5", 1234.5),
    ("separators and signs", "€1,234.50", 1234.5),
    ("separators and signs", "€ 1.234", 1234.0),
    ("separators and signs", "EUR 1.234,00", 1234.0),
    ("separators and signs", "R$ 1.500,00", 1500.0),
    ("separators and signs", "-3.5e-4", -0.00035),
    ("separators and signs", "3/4", 0.75),
    ("separators and signs", "50 percent", 50.0),
    ("separators and signs", "0.5%", 0.5),
    ("separators and signs", "12,5 %", 12.5),
    ("separators and signs", "\u20145", -5.0),
    ("separators and signs", "negative 5", -5.0),
    ("separators and signs", "+5", 5.0),
    ("separators and signs", "15/20", 0.75),
    ("separators and signs", "It grew from 3 to 4.", 4.0),
    ("separators and signs", "≥ 5", 5.0),
    ("separators and signs", "more than 5", 5.0),
    ("separators and signs", "The answer is 5. Actually, it's 6.", 6.0),
    ("separators and signs", "5? No, 6.", 6.0),
    ("separators and signs", "12 kg = 12,000 g", 12000.0),
    ("separators and signs", "In 2024 there were 15.", 15.0),
    ("separators and signs", "Answer: 1.000.000", 1000000.0),
    ("separators and signs", "1.000.000,50", 1000000.5),
    ("separators and signs", "1 000 000", 1000000.0),
    ("separators and signs", "1,000,000", 1000000.0),
    ("separators and signs", "10,000", 10000.0),
    ("separators and signs", "100.000 Einwohner sind es insgesamt", 100000.0),
    ("separators and signs", "3.142", 3.142),
]

WORDS: list[tuple[Any, list[str], str, Prediction]] = [
    (
        "label",
        ["refund", "delivery", "other"],
        "refund\n\nNote: it may look like delivery at first sight.",
        "refund",
    ),
    ("label", ["refund", "delivery", "other"], "Refund. It is not delivery.", "refund"),
    ("label", ["refund", "delivery", "other"], "This is a refund, although it mentions delivery.", "refund"),
    ("label", ["refund", "delivery", "other"], "\\text{refund}", "refund"),
    ("label", ["refund", "delivery", "other"], "$\\boxed{\\text{refund}}$", "refund"),
    ("label", ["refund", "delivery", "other"], "refund or delivery", None),
    ("label", ["refund", "delivery", "other"], "<answer>refund</answer>", "refund"),
    ("label", ["refund", "delivery", "other"], "'refund'", "refund"),
    ("label", ["refund", "delivery", "other"], "ｒｅｆｕｎｄ", "refund"),
    (
        "label",
        ["refund", "delivery", "other"],
        "I'd say refund. Delivery would fit if the parcel were lost.",
        "refund",
    ),
    ("label", ["refund", "delivery", "other"], "The best label is refund; delivery is secondary.", "refund"),
    ("label", ["退款", "物流", "账户"], "这是退款请求。", "退款"),
    ("label", ["退款", "物流", "账户"], "这个问题属于【物流】类别", "物流"),
    ("label", ["退款", "物流", "账户"], "不属于退款，属于物流。", "物流"),
    ("label", ["退款", "物流", "账户"], "退款", "退款"),
    ("label", ["退款", "物流", "账户"], "退款或物流", None),
    ("label", ["退款", "物流", "账户"], "**退款**", "退款"),
    ("label", ["退款", "物流", "账户"], "\u201c\u9000\u6b3e\u201d", "退款"),
    ("label", ["退款", "物流", "账户"], "「退款」", "退款"),
    ("label", ["退款", "物流", "账户"], "最终答案：退款。解释：物流并未提及。", "退款"),
    ("label", ["退款", "物流", "账户"], "这更像是退款而不是物流", "退款"),
    ("label", ["正面", "负面"], "负面。虽然有正面词语，但整体是负面的。", "负面"),
    ("label", ["正面", "负面"], "情感倾向：负面", "负面"),
    ("label", ["正面", "负面"], "这句话的情感不是负面的，是正面的。", "正面"),
    ("label", ["はい", "いいえ"], "はい、そうです。", "はい"),
    ("label", ["はい", "いいえ"], "答えは「いいえ」です。", "いいえ"),
    ("label", ["はい", "いいえ"], "いいえ。", "いいえ"),
    ("label", ["正", "负"], "情感是正。", "正"),
    ("label", ["正", "负"], "正确答案是负。", "负"),
    ("label", ["正", "负"], "正确。", None),
    ("label", ["正", "负"], "答案：正", "正"),
    ("label", ["positive", "negative", "neutral"], "The sentiment is positive, not negative.", "positive"),
    (
        "label",
        ["positive", "negative", "neutral"],
        "Positive. There is nothing negative about it.",
        "positive",
    ),
    ("label", ["positive", "negative", "neutral"], "Neither positive nor negative: neutral.", "neutral"),
    (
        "label",
        ["positive", "negative", "neutral"],
        "I would classify this as negative. One could argue for neutral.",
        "negative",
    ),
    ("label", ["positive", "negative", "neutral"], "It's not positive.", None),
    (
        "label",
        ["positive", "negative", "neutral"],
        "Sentiment: positive\nExplanation: negative words are absent.",
        "positive",
    ),
    (
        "label",
        ["positive", "negative", "neutral"],
        "The review is mostly positive but has some negative points.",
        None,
    ),
    ("label", ["positive", "negative", "neutral"], "positive/negative", None),
    ("label", ["positive", "negative", "neutral"], "Label: positive (confidence: 0.9)", "positive"),
    ("label", ["positive", "negative", "neutral"], "negative → positive?", None),
    (
        "label",
        ["entailment", "contradiction", "neutral"],
        "The hypothesis would be a contradiction if the man were asleep. Here it is entailment.",
        "entailment",
    ),
    (
        "label",
        ["entailment", "contradiction", "neutral"],
        "entailment\n\nThe premise says ... so it cannot be contradiction.",
        "entailment",
    ),
    ("label", ["1", "2", "3"], "Answer: 2", "2"),
    ("label", ["1", "2", "3"], "2. Because 1 and 3 are wrong.", "2"),
    ("label", ["1", "2", "3"], "The answer is 2, not 1.", "2"),
    ("label", ["1", "2", "3"], "1 or 2", None),
    ("boolean", ["Yes", "No"], "Yes. Some say no, but they are wrong.", "yes"),
    ("boolean", ["Yes", "No"], "Answer: \\text{No}", "no"),
    ("boolean", ["Yes", "No"], 'No, it is not. A "yes" would need more.', "no"),
    ("boolean", ["Yes", "No"], "yes/no", None),
    ("boolean", ["Yes", "No"], "I first thought yes. But the answer is no.", "no"),
    ("boolean", ["Yes", "No"], "Yes? No, wait. Yes.", "yes"),
    ("boolean", ["Yes", "No"], "It's a no from me, although many would say yes.", "no"),
    ("boolean", ["Yes", "No"], "The answer is: yes, and not no.", "yes"),
    ("boolean", ["Yes", "No"], "Ja.", "yes"),
    ("boolean", ["Yes", "No"], "Non.", "no"),
    ("boolean", ["valid", "invalid"], "The argument appears valid at first, but it is invalid.", "invalid"),
    ("boolean", ["valid", "invalid"], "valid, since no step is invalid", "valid"),
    ("boolean", ["True", "False"], "False. If it were true, ...", "false"),
    ("boolean", ["True", "False"], 'The statement "it is true" is false.', "false"),
]

TEXTS: list[tuple[str, Prediction]] = [
    ("\u201cParis\u201d", "Paris"),
    ("'Paris'", "Paris"),
    ("\\text{Paris}", "Paris"),
    ("$\\text{Paris}$", "Paris"),
    ("__Paris__", "Paris"),
    ("`Paris`", "Paris"),
    ("```\nParis\n```", "Paris"),
    ('{"answer": "Paris"}', "Paris"),
    ("**The answer is Paris**", "Paris"),
    ("\\boxed{Paris}", "Paris"),
    ("# Paris", "Paris"),
    ("Cafe\u0301", "Café"),
    ('"A" and "B"', '"A" and "B"'),
    ("**A** and **B**", "**A** and **B**"),
    ("> Paris", "Paris"),
    ("- Paris", "Paris"),
    ('The answer is "Paris".', "Paris"),
    ("Answer: Paris.", "Paris."),
    ("Final answer: \\boxed{\\text{Paris}}", "Paris"),
    ("***Paris***", "Paris"),
    ('"Paris".', "Paris"),
    ("Paris\n\n**Explanation:** It is the capital.", "Paris\n\n**Explanation:** It is the capital."),
    ("5 * 3 * 2", "5 * 3 * 2"),
    ("*a* b *c*", "*a* b *c*"),
    ("\\textbf{Paris}", "Paris"),
    ("```python\nprint(1)\n```", "print(1)"),
    ('He said "hi".', 'He said "hi".'),
]


@pytest.mark.parametrize(("kind", "reply", "right"), CHOICES)
def test_choices_by_kind(kind: str, reply: str, right: Prediction) -> None:
    assert answer_reader("choice").read(reply, QUESTION) == right, kind


@pytest.mark.parametrize(("kind", "reply", "right"), NUMBERS)
def test_numbers_by_kind(kind: str, reply: str, right: Prediction) -> None:
    found = answer_reader("number").read(reply)
    assert found == (right if right is None else pytest.approx(right, rel=1e-12)), kind


@pytest.mark.parametrize(("kind", "words", "reply", "right"), WORDS)
def test_labels_and_yes_or_no_by_kind(kind: Any, words: list[str], reply: str, right: Prediction) -> None:
    assert answer_reader(kind, labels=words if kind == "label" else (), targets=words).read(reply) == right


@pytest.mark.parametrize(("reply", "right"), TEXTS)
def test_texts_without_what_is_drawn_around_them(reply: str, right: Prediction) -> None:
    assert answer_reader("text").read(reply) == right


@pytest.mark.parametrize(
    ("target", "value"),
    [("1.234,50", 1234.5), ("1,00,000", 1e5), ("\u00bd", 0.5), ("\u0661\u0662", 12.0), ("$50k", 50_000.0)],
)
def test_targets_of_numbers_are_read_like_replies(target: str, value: float) -> None:
    assert answer_reader("number").normal(target) == value


@pytest.mark.parametrize(
    ("one", "other"), [("N\u00c9GATIF", "ne\u0301gatif"), ("ne\u0301gatif", "n\u00e9gatif")]
)
def test_composed_and_decomposed_letters_are_the_same(one: str, other: str) -> None:
    assert answer_reader("label", labels=["x", other]).read(f"**{one}**") == other
    assert answer_reader("text").read(one.lower()) == answer_reader("text").normal(other)


def test_the_language_of_the_question_tells_how_a_number_is_written() -> None:
    number = answer_reader("number")
    assert number.read("12.500", "Wie viele sind es? Das Ergebnis ist eine Zahl.") == 12_500.0
    assert number.read("12.500", "How many are there? The answer is a number.") == 12.5
    assert number.read("12,5 ist richtig und 13.500 nicht; insgesamt 12,5") == 12.5


def test_a_question_for_the_wrong_option_is_answered_by_saying_which_is_wrong() -> None:
    question = "Which statement is wrong?\n(A) 2 < 3\n(B) 3 < 2"
    assert answer_reader("choice").read("(B) is wrong.", question) == "B"
    assert answer_reader("choice").read("(B) is wrong.", question.replace("wrong", "right")) is None


@pytest.mark.parametrize("kind", ["label", "choice", "number", "boolean", "words", "text"])
@pytest.mark.parametrize(
    "piece",
    [
        *(
            "1,111,",
            "1.111.",
            "1'111",
            "1 111 ",
            "1,11,",
            "a?",
            "answer would ",
            "Wait, ",
            "<answer>",
            "[[",
            "{,}",
        ),
        *(
            "e\u0301",
            "\u0315\u0300",
            "\uff0c",
            "\u662f B",
            "12 or ",
            "(A) is wrong ",
            "final answer\n",
            "$5k",
            "\u00bd",
        ),
    ],
)
def test_a_reply_of_five_million_characters_is_read_in_the_end(kind: Any, piece: str) -> None:
    # A rule that takes the square of the length would run for hours here, into the test's time-out.
    reader = answer_reader(kind, labels=["spam", "not spam"], targets=["yes"])
    for cut in (False, True):
        read_reply(reader, piece * (5_000_000 // len(piece)), QUESTION, cut=cut)


@pytest.mark.parametrize("asked", ["Are you back " * 20_000, "Is " + "a?" * 100_000, "Is it so? " * 20_000])
def test_a_long_question_is_compared_with_what_a_reply_says(asked: str) -> None:
    assert answer_reader("boolean").read("You stand where it is green.", asked) is None


def test_the_end_of_a_very_long_reply_and_its_beginning_count() -> None:
    filler = "Nothing is said here.\n" * 50_000
    assert answer_reader("choice").read(f"{filler}The answer is (B).", QUESTION) == "B"
    assert answer_reader("choice").read(f"(B)\n\nExplanation: {filler}", QUESTION) == "B"
    assert answer_reader("number").read(f"{filler}So she has 12 left.") == 12.0
