"""Answers the questions that `tutela train page` drew, from the module's file: exam.py MODULE.md PAGE.html > ANSWERS

For the example alone: it stands in for somebody who has read the module. It is faster than reading, so what it hands in is
"hurried", and counts only once a trainer has signed for it."""
import html
import re
import sys


def plain(text):
    return re.sub(r"\W+", " ", html.unescape(re.sub(r"<[^>]*>", "", text)).lower()).strip()


module, page = open(sys.argv[1], encoding="utf-8").read(), open(sys.argv[2], encoding="utf-8").read()
right = {}
for block in re.split(r"^### ", module.split("\n## Questions", 1)[1], flags=re.M)[1:]:
    block = block.split("\n> ", 1)[0]
    question, options = re.split(r"\n- \[", block, maxsplit=1)
    marked = re.findall(r"(?:^|\n- \[)([ x])\] (.*?)(?=\n- \[|\Z)", options, flags=re.S)
    right[plain(question)] = {plain(text) for mark, text in marked if mark == "x"}

sheet = []
for number, field in enumerate(page.split("<fieldset>")[1:], 1):
    field = field.split("</fieldset>", 1)[0]
    legend = plain(re.search(r"<legend>(.*?)</legend>", field, flags=re.S).group(1))
    wanted = next(texts for question, texts in right.items() if question in legend)
    letters = [letter for letter, text in re.findall(r'value="(\w)">(.*?)</label>', field, flags=re.S)
               if re.sub(r"^\w ", "", plain(text), count=1) in wanted or plain(text) in wanted]
    sheet.append("%d%s" % (number, "".join(letters)))
head = re.search(r"(tutela-answers 1\nmodule \S+\nseed [0-9a-f]{16}\n)answers ", page).group(1)
print(head + "answers " + " ".join(sheet))
