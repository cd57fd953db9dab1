. "$TESTDATA/openapi-generator.sh"
for contract in native elw lochting; do
	generate $contract typescript-fetch
done
npm install --silent --no-audit --no-fund typescript@5.9.3 tsx@4.23.15 @types/node@20
npx tsc --noEmit --strict --skipLibCheck --target es2022 --module esnext --moduleResolution bundler main.ts
npx tsx main.ts
