. "$TESTDATA/openapi-generator.sh"
for contract in native elw lochting; do
	generate $contract python --package-name $contract
done
python3 -m venv venv
venv/bin/pip install -q ./native ./elw ./lochting
venv/bin/python main.py
