const output = (contract) => ({ target: `${contract}.ts`, client: "fetch", baseUrl: process.env.URL });

export default Object.fromEntries(
  ["native", "elw", "lochting"].map((contract) => [contract, { input: `./documents/${contract}.json`, output: output(contract) }]),
);
