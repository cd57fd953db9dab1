python3 -m venv venv
venv/bin/pip install -q openapi-python-client==0.29.1
for contract in native elw lochting; do
	venv/bin/openapi-python-client generate --path documents/$contract.json --output-path $contract --meta none --config config.yaml
done
venv/bin/python main.py
