python3 -m venv venv
venv/bin/pip install -q datamodel-code-generator==0.89.0 httpx==0.28.1
for contract in native elw lochting; do
	venv/bin/datamodel-codegen --input documents/$contract.json --input-file-type openapi --output $contract.py \
		--output-model-type pydantic_v2.BaseModel
done
venv/bin/python main.py
