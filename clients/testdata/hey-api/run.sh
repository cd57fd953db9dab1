npm install --silent --no-audit --no-fund @hey-api/openapi-ts@0.99.0 typescript@5.9.3 tsx@4.23.15 @types/node@20
for contract in native elw lochting; do
	npx openapi-ts -i ./documents/$contract.json -o $contract
done
npx tsc --noEmit --strict --skipLibCheck --target es2022 --module esnext --moduleResolution bundler main.ts
npx tsx main.ts
