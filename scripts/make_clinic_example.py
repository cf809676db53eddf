"""Write examples/clinic/clinic.jsonl: documents of invented patients, full of personal data, with questions.

    python scripts/make_clinic_example.py examples/clinic/clinic.jsonl

The same file every time: names and numbers are drawn from lists by a fixed seed. In the texts below `[[key|words]]`
marks the words that answer the question `key`; the marks are taken out and the offsets kept.
"""

# Texts and lists of words read better in one piece than broken at a margin.
# ruff: noqa: E501, ISC004, SIM905

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

SEED = 20240229
PATIENTS = 20
MARK = re.compile(r"\[\[(\w+)\|(.*?)\]\]")

WOMEN = "Agatha Bronwen Celeste Dagny Eleni Farida Greta Hanneke Imogen Jolanta Kezia Lorna Marisol Nadia Oona".split()
MEN = "Alasdair Boris Conrad Desmond Emeka Fergus Gideon Henrik Ivo Jasper Kofi Leopold Matthias Niall Osman".split()
FAMILY = (
    "Abernethy Brankovic Castellane Dunmore Eszterhazy Fairweather Gutierrez Holloway Ingersoll Jankowski Kirkbride "
    "Lindqvist MacAllister Nakagawa O'Driscoll Pemberton Quillfeather Rosenbaum Stavros Thistlewood Underhay Vanterpool "
    "Whitcombe Yusuf Zielinski"
).split()
STREETS = (
    "Larkspur Lane,Old Quay Road,Mill Bank Terrace,Saint Aldate's Row,Harbour View,Juniper Close,Tanner's Yard".split(
        ","
    )
)
TOWNS = (
    "Westerhaven HX7 4QP,Millbrook Cross MB2 9TR,Port Ellery PE40 1AA,Upper Dunning UD3 8ZL,Kestrel Bay KB11 6WN".split(
        ","
    )
)
WARDS = "Cardiology,Orthopaedics,Oncology,Neurology,Maternity".split(",")
ILLNESSES = (
    "type 2 diabetes,atrial fibrillation,rheumatoid arthritis,epilepsy,chronic hepatitis B,asthma,breast cancer,"
    "bipolar disorder,coeliac disease,HIV infection"
).split(",")
DRUGS = (
    "metformin 500 mg,apixaban 5 mg,methotrexate 15 mg,levetiracetam 750 mg,entecavir 0.5 mg,salbutamol 100 mcg".split(
        ","
    )
)
JOBS = "bus driver,primary school teacher,harbour pilot,pastry cook,court interpreter,roofer,violin maker".split(",")
FAITHS = "a practising Catholic,a Jehovah's Witness,an observant Muslim,a Quaker,a Sikh".split(",")
ALLERGIES = "penicillin,latex,iodinated contrast,ibuprofen,bee venom".split(",")


@dataclass(frozen=True)
class Patient:
    """An invented person with everything a clinic would write down."""

    number: int
    first: str
    last: str
    is_woman: bool
    born: date
    street: str
    town: str
    phone: str
    iban: str
    nhs: str
    relative: str
    doctor: str
    ward: str
    illness: str
    drug: str
    job: str
    faith: str
    allergy: str
    admitted: date

    @property
    def name(self) -> str:
        """First and family name."""
        return f"{self.first} {self.last}"

    @property
    def title(self) -> str:
        """Ms or Mr."""
        return "Ms" if self.is_woman else "Mr"

    @property
    def email(self) -> str:
        """An address at a reserved domain."""
        return f"{self.first}.{self.last}@mail.example".lower().replace("'", "")

    @property
    def case(self) -> str:
        """Number of the case, which names the document too."""
        return f"KB-{self.admitted.year}-{4100 + 37 * self.number:05d}"

    @property
    def pronoun(self) -> str:
        """Pronoun at the beginning of a sentence."""
        return "She" if self.is_woman else "He"


def main() -> None:
    """Write the file that the first argument names."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "examples/clinic/clinic.jsonl")
    rows = list(make_rows())
    target.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    print(f"{target}: {len({row['context'] for row in rows})} contexts, {len(rows)} questions")


def make_rows() -> Iterator[dict[str, Any]]:
    """One row per question: two documents of each patient, three questions on each."""
    draw = random.Random(SEED)  # noqa: S311 - nothing here is secret
    names = [(name, True) for name in WOMEN] + [(name, False) for name in MEN]
    draw.shuffle(names)
    families = draw.sample(FAMILY, PATIENTS)
    for number in range(PATIENTS):
        patient = make_patient(draw, number, names[number], families[number])
        letters = DOCUMENTS[number % len(DOCUMENTS)], DOCUMENTS[(number + 1 + number // 5) % len(DOCUMENTS)]
        for part, (template, questions) in enumerate(letters, start=1):
            context, answers = unmark(fill(template, patient, draw))
            for index, (key, text) in enumerate(questions.items(), start=1):
                yield {
                    "id": f"clinic-{number + 1:02d}-{part}-{index}",
                    "title": f"Case {patient.case}",
                    "context": context,
                    "question": fill(text, patient, draw),
                    "answers": answers.get(key, {"text": [], "answer_start": []}),
                    "patient_id": f"P{70000 + 113 * number}",
                    "phone": patient.phone,
                    "ward": patient.ward,
                }


def make_patient(draw: random.Random, number: int, first: tuple[str, bool], last: str) -> Patient:
    """A patient with drawn attributes."""
    is_mobile = draw.random() < 0.5  # noqa: PLR2004 - every other one
    prefix = "07700 900" if is_mobile else "020 7946 0"
    return Patient(
        number=number,
        first=first[0],
        last=last,
        is_woman=first[1],
        born=date(1938, 1, 1) + timedelta(days=draw.randrange(24000)),
        street=f"{draw.randint(2, 190)} {draw.choice(STREETS)}",
        town=draw.choice(TOWNS),
        phone=f"{prefix}{draw.randrange(1000):03d}",
        iban=make_iban(draw),
        nhs=make_nhs(draw),
        relative=f"{draw.choice(WOMEN + MEN)} {last}",
        doctor=f"Dr {draw.choice(WOMEN + MEN)} {draw.choice(FAMILY)}",
        ward=draw.choice(WARDS),
        illness=draw.choice(ILLNESSES),
        drug=draw.choice(DRUGS),
        job=draw.choice(JOBS),
        faith=draw.choice(FAITHS),
        allergy=draw.choice(ALLERGIES),
        admitted=date(2023, 1, 9) + timedelta(days=draw.randrange(500)),
    )


def make_iban(draw: random.Random) -> str:
    """A German IBAN with right check digits (ISO 7064, mod 97) and a bank code that begins with 0, which no bank has."""
    account = f"0{draw.randrange(10**7):07d}{draw.randrange(10**10):010d}"
    check = 98 - int(f"{account}131400") % 97
    plain = f"DE{check:02d}{account}"
    return " ".join(plain[index : index + 4] for index in range(0, len(plain), 4))


def make_nhs(draw: random.Random) -> str:
    """An NHS number of the range for tests with a right check digit (mod 11)."""
    modulus, ten = 11, 10
    while True:
        digits = f"999{draw.randrange(10**6):06d}"
        total = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True))
        check = (modulus - total % modulus) % modulus
        if check != ten:
            return f"{digits[:3]} {digits[3:6]} {digits[6:]}{check}"


def fill(template: str, patient: Patient, draw: random.Random) -> str:
    """The template with the patient's data."""
    day = patient.admitted
    return template.format(
        p=patient,
        age=day.year - patient.born.year - ((day.month, day.day) < (patient.born.month, patient.born.day)),
        born=f"{patient.born.day} {patient.born:%B %Y}",
        born_short=f"{patient.born:%d/%m/%Y}",
        admitted=f"{day.day} {day:%B %Y}",
        discharged=f"{day + timedelta(days=6):%Y-%m-%d}",
        ip=f"203.0.113.{draw.randint(2, 250)}",
        policy=f"HV{draw.randrange(10**8):08d}",
        pressure=f"{draw.randint(118, 172)}/{draw.randint(70, 104)}",
        room=f"{draw.randint(1, 5)}.{draw.randint(1, 40):02d}",
        outsider=f"{draw.choice(WOMEN + MEN)} {draw.choice(FAMILY)}",
        initial=patient.first[0],
    )


def unmark(text: str) -> tuple[str, dict[str, dict[str, list[Any]]]]:
    """The text without marks, and what they marked, with offsets in code points."""
    plain, answers, end = "", {}, 0
    for mark in MARK.finditer(text):
        plain += text[end : mark.start()]
        answers[mark[1]] = {"text": [mark[2]], "answer_start": [len(plain)]}
        plain += mark[2]
        end = mark.end()
    return plain + text[end:], answers


# The questions that name {outsider} ask for somebody who stands in no context; those without a mark have no answer.
DOCUMENTS: tuple[tuple[str, dict[str, str]], ...] = (
    (
        "Discharge letter\nKestrel Bay General Hospital, {p.ward}\n\nRe: {p.title} {p.name}, born {born}, {p.street}, {p.town}, "
        "NHS number {p.nhs}\n\nDear colleague,\nthank you for referring this {age}-year-old {p.job}, who was admitted on "
        "[[when|{admitted}]] with a first episode of [[what|{p.illness}]]. Blood pressure on arrival was {pressure}. We started "
        "[[drug|{p.drug}]] twice a day. {p.title} {p.last} is allergic to {p.allergy}. Discharge on {discharged} into the care "
        "of {p.relative}.\n\nYours sincerely,\n{p.doctor}",
        {
            "what": "With which illness was {p.title} {p.last} admitted?",
            "drug": "{outsider} from the insurance wants to know: what was prescribed twice a day?",
            "when": "When did {p.name} come to the hospital?",
        },
    ),
    (
        "From: {p.email}\nTo: appointments@kestrelbay.example\nSubject: case {p.case}\n\nGood morning, my name is {p.name} and I "
        "am writing because I cannot come on Thursday. You can reach me on [[phone|{p.phone}]] after five; my {p.job} shifts "
        "end then. If I am out, please ask for [[who|{p.relative}]], who lives with me at {p.street}. As you know I have "
        "{p.illness}, and the new tablets make me dizzy. Kind regards, {initial}. {p.last}",
        {
            "phone": "On which number can the writer be reached?",
            "who": "Who may take a message for {p.first}?",
            "blood": "Which blood group does {p.title} {p.last} have?",
        },
    ),
    (
        "Telephone note, {admitted}, taken by {p.doctor}: {p.relative} rang about {p.name} (date of birth [[born|{born_short}]]). "
        "Since Sunday the patient has refused food. {p.pronoun} is [[faith|{p.faith}]] and asks that the chaplain be told. I "
        "advised to stop {p.drug} and to come to [[where|{p.ward}, room {room}]] tomorrow. Call back: {p.phone}.",
        {
            "born": "What is {p.name}'s date of birth?",
            "faith": "What does the note say about the patient's religion?",
            "where": "Where was {p.title} {p.last} told to come, as {outsider} asked later?",
        },
    ),
    (
        "Invoice to {p.title} {p.name}, {p.street}, {p.town}. Case {p.case}, policy [[policy|{policy}]]. Treatment of "
        "{p.illness} on the ward {p.ward}, six nights from {admitted}. Please note that the co-payment of [[sum|£184.50]] will be "
        "debited from [[iban|{p.iban}]] in ten days. Questions: billing@kestrelbay.example or 020 7946 0321.",
        {
            "policy": "What is the number of the policy?",
            "sum": "How much does {p.name} have to pay?",
            "iban": "From which account is the money taken?",
        },
    ),
    (
        "Portal log for user [[user|{initial}{p.last}{p.number}]] ({p.email}): signed in from [[ip|{ip}]], opened the "
        'laboratory results of {discharged} and sent a message to {p.doctor}: "Could the result be because of {p.drug}? My '
        "union, the dockers', asked me for a sick note, and I do not want them to read {p.illness} on it.\" The message was "
        "answered by nurse [[nurse|{p.relative}]].",
        {
            "user": "Under which user name did {p.first} {p.last} sign in?",
            "ip": "From which address did the user sign in?",
            "nurse": "Who answered the message that {outsider} forwarded?",
        },
    ),
    (
        "Admission sheet no. {p.case}. Surname: {p.last}. First name: {p.first}. Born: {born_short}. Occupation: [[job|{p.job}]]. "
        "Next of kin: {p.relative}, {p.phone}. Known: {p.illness}. Allergies: [[allergy|{p.allergy}]]. Present medication: "
        "{p.drug}. {p.pronoun} was brought in by ambulance from {p.town} and seen by [[doctor|{p.doctor}]] within the hour.",
        {
            "job": "What does {p.title} {p.last} do for a living?",
            "allergy": "To what is {p.name} allergic?",
            "doctor": "Which physician saw the patient first?",
        },
    ),
    (
        "Minutes of the tumour board, {admitted}. Present: {p.doctor}, {p.relative} (social work). Patient: {p.last}, {p.first}, "
        "aged [[age|{age}]], NHS {p.nhs}. History of {p.illness}. The board recommends [[plan|six cycles of chemotherapy]] and a "
        "talk with the family. {p.last}'s employer must not be told; {p.pronoun} works as a {p.job}. Contact for the "
        "family: [[mail|{p.email}]].",
        {
            "age": "How old is {p.title} {p.last}?",
            "plan": "What does the board recommend, {outsider} wants to know?",
            "mail": "Under which address can the family be reached?",
        },
    ),
)


if __name__ == "__main__":
    main()
