// Reads texts. On stdin a list of them, on stdout for each its words, or {error}.
const site = process.argv[2];
const { words } = await import(`${site}/speech/text.js`);
const { WavestepError } = await import(`${site}/speech/errors.js`);

let input = "";
for await (const piece of process.stdin.setEncoding("utf8")) input += piece;

const answers = JSON.parse(input).map((text) => {
  try {
    return words(text);
  } catch (error) {
    if (!(error instanceof WavestepError)) throw error;
    return { error: error.message };
  }
});
process.stdout.write(JSON.stringify(answers));
