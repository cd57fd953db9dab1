/** A client by openapi-generator. Its default library, Gson, leaves null out: "" clears. */
public class Main {
    static final java.util.Map<String, String> env = System.getenv();

    public static void main(String[] args) throws Exception {
        updateByNative();
        updateByElw();
        updateByLochting();
        System.exit(0); // OkHttp's threads would keep the program alive
    }

    static void updateByNative() throws api_native.ApiException {
        var client = new api_native.ApiClient();
        client.setBasePath(env.get("URL"));
        client.setBearerToken(env.get("KEY"));
        var api = new api_native.CustomersApi(client);
        var ref = env.get("NATIVE");
        var customer = api.getCustomer(ref, null, null, null, null);
        assert customer.getPhone().equals("11223344") && customer.getAddress().getCity().equals("Oslo");
        for (var patch : new api_native.model.CustomerPatch[] {
            new api_native.model.CustomerPatch().phone("22334455").address(new api_native.model.AddressPatch().city("Bergen")),
            new api_native.model.CustomerPatch().email("kari@example.com"),
            new api_native.model.CustomerPatch().phone(""),
        }) {
            customer = api.updateCustomer(ref, patch, null, null, null, null, null);
        }
        assert customer.getPhone() == null;
    }

    static void updateByElw() throws api_elw.ApiException {
        var client = new api_elw.ApiClient();
        client.setBasePath(env.get("URL"));
        client.setUsername(env.get("LOGIN"));
        client.setPassword(env.get("PASSWORD"));
        var api = new api_elw.CustomersApi(client);
        var number = Integer.valueOf(env.get("ELW"));
        assert api.getCustomer(number, null, null).getPhoneNumber().equals("11223344");
        for (var change : new api_elw.model.CustomerUpdate[] {
            new api_elw.model.CustomerUpdate().phoneNumber("22334455"),
            new api_elw.model.CustomerUpdate().email("kari@example.com"),
            new api_elw.model.CustomerUpdate().phoneNumber(""),
        }) {
            api.updateCustomer(number, change, null, null, null, null);
        }
    }

    static void updateByLochting() throws api_lochting.ApiException {
        var client = new api_lochting.ApiClient();
        client.setBasePath(env.get("URL"));
        client.setApiKey(env.get("KEY"));
        var api = new api_lochting.CustomerApi(client);
        var id = env.get("LOCHTING");
        var customer = api.getCustomer(id, null);
        assert customer.getPhoneNumber().equals("11223344");
        for (var change : new api_lochting.model.CustomerUpdate[] {
            new api_lochting.model.CustomerUpdate().phoneNumber("22334455"),
            new api_lochting.model.CustomerUpdate().city("Brugge"),
            new api_lochting.model.CustomerUpdate().phoneNumber(""),
        }) {
            change.firstName(customer.getFirstName()).lastName(customer.getLastName()).emailAddress(customer.getEmailAddress());
            change.locale(customer.getLocale()).gender(customer.getGender()).country(customer.getCountry());
            api.updateCustomer(id, change, null, null, null, null);
        }
        assert api.getCustomer(id, null).getPhoneNumber() == null;
    }
}
