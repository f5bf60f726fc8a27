import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * One end of TLS 1.2 by Java's JSSE: a client that sends a line, or a server that sends back what it gets.
 *
 * Peer client|server name=value... with port, ca, chain, key (files), algorithm (of the key), suite, alpn, times, auth
 */
public class Peer {
    private static final char[] PASSWORD = "none".toCharArray();

    private static SSLContext context(Map<String, String> given) throws Exception {
        CertificateFactory certificates = CertificateFactory.getInstance("X.509");
        KeyStore trusted = KeyStore.getInstance("PKCS12"), own = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        own.load(null, null);
        trusted.setCertificateEntry("root", certificates.generateCertificate(new FileInputStream(given.get("ca"))));
        if (given.containsKey("chain")) {
            String pem = Files.readString(Path.of(given.get("key"))).replaceAll("-----[^-]+-----|\\s", "");
            var key = KeyFactory.getInstance(given.get("algorithm")).generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
            var chain = certificates.generateCertificates(new FileInputStream(given.get("chain")));
            own.setKeyEntry("own", key, PASSWORD, chain.toArray(new Certificate[0]));
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, PASSWORD);
        TrustManagerFactory anchors = TrustManagerFactory.getInstance("PKIX");
        anchors.init(trusted);
        SSLContext context = SSLContext.getInstance("TLSv1.2");
        context.init(keys.getKeyManagers(), anchors.getTrustManagers(), null);
        return context;
    }

    private static SSLParameters parameters(Map<String, String> given) {
        SSLParameters parameters = new SSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.2"});
        if (given.containsKey("suite")) parameters.setCipherSuites(new String[] {given.get("suite")});
        if (given.containsKey("alpn")) parameters.setApplicationProtocols(given.get("alpn").split(","));
        if (given.containsKey("auth")) parameters.setNeedClientAuth(true);
        return parameters;
    }

    private static void talk(SSLContext context, SSLParameters parameters, int port) throws Exception {
        Socket plain = new Socket(InetAddress.getLoopbackAddress(), port);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, "server.test", port, true)) {
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            long before = System.currentTimeMillis();
            socket.startHandshake();
            socket.getOutputStream().write("hello\n".getBytes());
            String line = new BufferedReader(new InputStreamReader(socket.getInputStream())).readLine();
            boolean resumed = socket.getSession().getCreationTime() < before;
            System.out.printf("%s%nsuite=%s resumed=%b alpn=%s%n", line, socket.getSession().getCipherSuite(), resumed, socket.getApplicationProtocol());
        }
        Thread.sleep(20); // a session resumed is known by its age
    }

    private static void echo(Socket socket) {
        try (socket) {
            socket.getInputStream().transferTo(socket.getOutputStream());
        } catch (Exception error) {
            System.out.println("error " + error);
        }
    }

    public static void main(String[] words) throws Exception {
        Map<String, String> given = new HashMap<>(Map.of("times", "1", "port", "0"));
        for (String word : words) {
            String[] parts = word.split("=", 2);
            if (parts.length == 2) given.put(parts[0], parts[1]);
        }
        SSLContext context = context(given);
        int port = Integer.parseInt(given.get("port"));
        if (words[0].equals("client")) {
            for (int times = Integer.parseInt(given.get("times")); times > 0; times--) talk(context, parameters(given), port);
            return;
        }
        var listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(port, 50, InetAddress.getLoopbackAddress());
        listener.setSSLParameters(parameters(given));
        System.out.println("listening on port " + listener.getLocalPort());
        while (true) {
            Socket socket = listener.accept();
            new Thread(() -> echo(socket)).start();
        }
    }
}
