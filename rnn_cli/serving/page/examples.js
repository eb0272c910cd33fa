/**
 * Texts to try, chosen by the model's labels: opinions for a model of opinions alone. All were written for this page.
 */

const OPINIONS = [
  "Warm, funny and over far too soon.",
  "The battery died after two days and nobody answers my mails.",
  "Not bad at all, though the second half drags.",
  "The parcel came on Tuesday.",
  "I wanted to love it, but the sound is dreadful.",
  "Best coffee in town, and the people are kind.",
];

const FACTS = [
  "The train to the coast leaves at ten past nine.",
  "Please send the invoice again, its last page is missing.",
  "How long does it take to learn the piano?",
  "The council has opened a new library near the station.",
  "My password no longer works since this morning.",
  "The home side won by two goals after extra time.",
];

/** What a label's texts are like; the names are matched without case: whole, or else as words of a label. */
const KINDS = [
  [["negative", "neutral", "positive", "neg", "pos", "mixed", "bad", "good", "1 star", "5 stars"], OPINIONS],
  [["spam"], ["You have won! Claim your prize within 24 hours."]],
  [["ham", "not spam"], ["Shall we meet at six, in front of the station?"]],
  [["joy", "happiness", "happy"], ["I passed the exam and could dance all night!"]],
  [["sadness", "sad", "grief"], ["The house is so quiet since she left."]],
  [["anger", "angry", "annoyance"], ["They cancelled it again without a word. Outrageous."]],
  [["fear", "nervousness"], ["I heard steps behind me and did not dare to turn round."]],
  [["surprise"], ["Wait, you two are sisters?"]],
  [["love", "gratitude"], ["Thank you for being there all these years."]],
  [["sport", "sports"], ["The home side won by two goals after extra time."]],
  [["business", "finance", "economy"], ["The company's shares rose after it doubled its profit."]],
  [["world", "politics", "government"], ["The two governments will talk about the border on Monday."]],
  [["tech", "technology", "science", "sci/tech"], ["The new chip needs half the power of the old one."]],
  [["health", "medicine"], ["A walk each day lowers the blood pressure, doctors say."]],
  [["entertainment", "culture", "music"], ["The band plays its new album in full on Saturday."]],
  [["travel"], ["The night train reaches the coast at six."]],
  [["food"], ["Simmer the lentils for twenty minutes, then add the lemon."]],
  [["billing", "payment", "payments", "invoice"], ["I was charged twice for May. Please send one amount back."]],
  [["refund", "returns", "return"], ["I sent the shoes back three weeks ago and have no money yet."]],
  [["delivery", "shipping", "logistics"], ["The parcel is marked as delivered, but it is not here."]],
  [["account", "login", "access"], ["My password no longer works since this morning."]],
  [["technical", "bug", "technical support", "it"], ["The app closes as soon as I open a picture."]],
  [["question"], ["How long does it take to learn the piano?"]],
  [["person", "human", "hum"], ["Who wrote the first detective story?"]],
  [["place", "location", "loc"], ["Where does the longest river in Europe end?"]],
  [["number", "num", "numeric"], ["How many bones does a hand have?"]],
  [["description", "desc", "definition"], ["Why is the sky red in the evening?"]],
  [["thing", "entity", "enty"], ["Which metal melts in a warm hand?"]],
  [["abbreviation", "abbr"], ["What does the M in a.m. stand for?"]],
];

const MOST = 6;

/** Up to six texts for a model with these labels. */
export function examplesFor(labels) {
  const whole = labels.map((label) => label.trim().toLowerCase());
  const words = whole.flatMap((label) => label.match(/\p{L}+/gu) ?? []);
  const texts = [whole, words].map(fitting).find((found) => found.length > 1);
  return (texts ?? FACTS).slice(0, MOST);
}

function fitting(names) {
  const all = new Set(names);
  return [...new Set(KINDS.filter(([known]) => known.some((each) => all.has(each))).flatMap(([, texts]) => texts))];
}
