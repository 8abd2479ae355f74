"""Makes the knowledge base, the evaluation tickets and the public questions of examples/support-assistant (invented)."""
import csv
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "support-assistant", "data")
PROBE = os.path.join(HERE, "..", "support-assistant", "probe")

DEVICES = ["router", "base station", "doorbell", "thermostat", "camera", "hub"]
TOPICS = [
    ("does not turn on", "Check the cable and the wall socket. Hold the power key for ten seconds. If the light stays "
                         "off, the power supply is exchanged free of charge within two years."),
    ("loses its connection", "Move the device within ten metres of the router. Restart the router first and the "
                             "device second. Choose channel 1, 6 or 11 where many networks are near."),
    ("shows a red light", "A red light means that the last update did not finish. Leave the device on for twenty "
                          "minutes; it repeats the update by itself."),
    ("needs a new password", "Open the app, choose the device, then Security, then Password. The old password is "
                             "needed. Without it, reset the device with the pin on its back."),
    ("should be returned", "Returns are accepted within 30 days of delivery. Print the label from the order page and "
                           "hand the parcel in at any counter."),
    ("gets warm", "Up to 45 degrees at the underside are normal. Keep five centimetres of air around the device."),
    ("is to be sold on", "Remove the device from the account, then reset it, so that the next owner can register it."),
    ("makes a noise", "A faint hum at night mode is normal. A rattle is not: please send the device in."),
]

ASKED = ["My {} {}.", "What can I do when the {} {}?", "The {} {}, is that normal?", "Help, the {} {}!"]

if __name__ == "__main__":
    os.makedirs(DATA, exist_ok=True)
    os.makedirs(PROBE, exist_ok=True)
    with open(f"{DATA}/kb-articles.jsonl", "w") as out:
        for i, device in enumerate(DEVICES):
            for k, (title, body) in enumerate(TOPICS):
                row = {"id": f"kb-{i * len(TOPICS) + k + 1:03}", "title": f"The {device} {title}", "text": body,
                       "url": f"https://support.example.org/articles/{i * len(TOPICS) + k + 1}",
                       "collected": "2026-09-14T08:00:00Z"}
                out.write(json.dumps(row) + "\n")
    with open(f"{DATA}/tickets-eval.csv", "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["ticket", "question", "expected_article"])
        for i, device in enumerate(DEVICES):
            for k, (title, _) in enumerate(TOPICS):
                number = i * len(TOPICS) + k + 1
                writer.writerow([number, f"My {device} {title}, what can I do?", f"kb-{number:03}"])
    with open(f"{DATA}/support-questions.csv", "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["question", "topic", "source", "collected"])
        for i, device in enumerate(DEVICES):
            for k, (title, _) in enumerate(TOPICS):
                text = ASKED[(i + k) % len(ASKED)].format(device, title)
                writer.writerow([text, title, f"https://forum.example.org/t/{1000 + i * len(TOPICS) + k}",
                                 "2026-05-04T09:00:00Z"])
    with open(f"{PROBE}/questions.txt", "w") as out:  # of `tutela probe`: a question, and what its answer must hold
        for i, device in enumerate(DEVICES):
            for k, (title, _) in enumerate(TOPICS):
                out.write(f"My {device} {title}, what can I do?\tkb-{i * len(TOPICS) + k + 1:03}\n")
    with open(f"{PROBE}/tool-result.txt", "w") as out:
        out.write("Order 100234 left on Monday and arrives within three days.\n")
    with open(f"{DATA}/feedback.jsonl", "w") as out:
        for i, device in enumerate(DEVICES):
            row = {"ticket": i + 1, "rating": 4 + i % 2, "comment": f"Helped with my {device}."}
            out.write(json.dumps(row) + "\n")
