npm install --silent --no-audit --no-fund swagger-typescript-api@13.13.0 typescript@5.9.3 tsx@4.23.15 @types/node@20
for contract in native elw lochting; do
	npx swagger-typescript-api generate -p documents/$contract.json -o . -n $contract.ts
done
npx tsc --noEmit --strict --skipLibCheck --target es2022 --module esnext --moduleResolution bundler main.ts
npx tsx main.ts
