import os

import elw
import lochting
import native

env = os.environ

with native.ApiClient(native.Configuration(host=env["URL"], access_token=env["KEY"])) as client:
    api, ref = native.CustomersApi(client), env["NATIVE"]
    customer = api.get_customer(ref)
    assert (customer.kind, customer.phone, customer.address.city) == ("organisation", "11223344", "Oslo")
    api.update_customer(ref, native.CustomerPatch(phone="22334455", address=native.AddressPatch(city="Bergen")))
    api.update_customer(ref, native.CustomerPatch(email="kari@example.com"))
    customer = api.update_customer(ref, native.CustomerPatch(phone=None))
    assert (customer.phone, customer.email) == (None, "kari@example.com")

with elw.ApiClient(elw.Configuration(host=env["URL"], username=env["LOGIN"], password=env["PASSWORD"])) as client:
    api, number = elw.CustomersApi(client), int(env["ELW"])
    assert api.get_customer(number).phone_number == "11223344"
    api.update_customer(number, elw.CustomerUpdate(PhoneNumber="22334455"))
    api.update_customer(number, elw.CustomerUpdate(Email="kari@example.com"))
    assert api.update_customer(number, elw.CustomerUpdate(PhoneNumber=None)).phone_number == "22334455"
    assert api.update_customer(number, elw.CustomerUpdate(PhoneNumber="")).phone_number is None

with lochting.ApiClient(lochting.Configuration(host=env["URL"], api_key={"token": env["KEY"]})) as client:
    api, id = lochting.CustomerApi(client), env["LOCHTING"]
    customer = api.get_customer(id)
    assert customer.phone_number == "11223344"
    same = {
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        "locale": customer.locale,
        "emailAddress": customer.email_address,
        "gender": customer.gender,
        "country": customer.country,
    }
    api.update_customer(id, lochting.CustomerUpdate(**same, phoneNumber="22334455"))
    api.update_customer(id, lochting.CustomerUpdate(**same, city="Brugge"))
    api.update_customer(id, lochting.CustomerUpdate(**same, phoneNumber=None))
    assert api.get_customer(id).phone_number is None
