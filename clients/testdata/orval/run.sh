npm install --silent --no-audit --no-fund orval@8.38.0 typescript@5.9.3 tsx@4.23.15 @types/node@20
for contract in native elw lochting; do
	npx orval --config orval.config.mjs --project $contract
done
npx tsc --noEmit --strict --skipLibCheck --target es2022 --module esnext --moduleResolution bundler main.ts
npx tsx main.ts
