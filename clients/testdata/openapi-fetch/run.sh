npm install --silent --no-audit --no-fund openapi-typescript@7.13.0 openapi-fetch@0.17.0 typescript@5.9.3 tsx@4.23.15 @types/node@20
for contract in native elw lochting; do
	npx openapi-typescript documents/$contract.json -o $contract.ts
done
npx tsc --noEmit --strict --skipLibCheck --target es2022 --module esnext --moduleResolution bundler main.ts
npx tsx main.ts
